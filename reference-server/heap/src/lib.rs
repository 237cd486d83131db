//! Gives memory that a program has freed back to the system.
//!
//! An allocator keeps what it is given back, in hope of more work. glibc's keeps what small allocations leave behind for
//! good: a server that held a million small streams stays as large after the last of them is gone.

/// Asks the allocator to give back every page that nothing lies in.
///
/// glibc takes each of its locks in turn meanwhile, some milliseconds where gigabytes were freed: call it where nobody
/// waits. With other allocators nothing happens.
pub fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[expect(unsafe_code, reason = "a function of glibc")]
    // SAFETY: it takes no pointer, may be called from any thread (MT-Safe in its manual), and moves nothing in use.
    unsafe {
        libc::malloc_trim(0);
    }
}

#[cfg(all(test, target_os = "linux", target_env = "gnu"))]
mod tests {
    use std::fs;

    /// Resident pages of this process.
    fn resident() -> usize {
        let pages = fs::read_to_string("/proc/self/statm").unwrap();
        pages.split(' ').nth(1).unwrap().parse().unwrap()
    }

    #[test]
    fn what_small_allocations_leave_behind_is_given_back() {
        let before = resident();
        let mut blocks: Vec<Vec<u8>> = (0..64_000).map(|_| vec![1; 1024]).collect();
        let held = resident() - before;
        // One in a hundred stays, so that no end of the heap can be cut off.
        let mut number = 0;
        blocks.retain(|_| {
            number += 1;
            number % 100 == 0
        });
        super::give_back();
        let kept = resident().saturating_sub(before);
        assert!(kept * 4 < held, "{kept} of {held} pages are still held");
    }
}
