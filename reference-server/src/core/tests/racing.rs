//! Many threads on few streams: nothing hangs, and nothing is left behind.

use std::thread;

use rand::{Rng, SeedableRng, rngs::StdRng};

use super::*;

const PATHS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

#[test]
fn all_is_given_back_whatever_the_order() {
    let lab = Lab::with(Limits { streams: PATHS.len(), ..Limits::default() });
    let lab = &lab;
    thread::scope(|scope| {
        for seed in 0..4 {
            scope.spawn(move || {
                let mut random = StdRng::seed_from_u64(seed);
                for _ in 0..5000 {
                    disturb(lab, &mut random);
                }
            });
        }
    });
    for _ in PATHS {
        // A soft-deleted source is collected with the last of its forks.
        for path in PATHS {
            let _ = lab.delete(path);
        }
    }
    assert_eq!(lab.used(), 0);
    for path in PATHS {
        assert_eq!(lab.look(path), Err(Refusal::NotFound));
        lab.text(path, "there is room for as many streams as before");
    }
}

/// Any answer is right; what matters is what remains.
fn disturb(lab: &Lab, random: &mut StdRng) {
    let path = PATHS[random.random_range(0..PATHS.len())];
    let other = PATHS[random.random_range(0..PATHS.len())];
    // A clock that runs a little differently in each step makes streams expire in the middle of things.
    let now = lab.now + SignedDuration::from_secs(random.random_range(0..20));
    match random.random_range(0..7) {
        0 => {
            let expiry = if random.random() { ttl("10") } else { None };
            let request =
                Creation { content_type: Some("text/plain"), expiry, body: b"x", ..Creation::default() };
            let _ = lab.store.create(path, &request, now);
        }
        1 => {
            let request = Creation { body: b"y", ..fork(other, None, 0) };
            let _ = lab.store.create(path, &request, now);
        }
        2 => {
            let producer = producer(other, 0, random.random_range(0..3));
            let _ = lab.store.append(path, Append { producer, ..text("abc") }, now);
        }
        3 => {
            let _ = lab.store.append(path, text("def"), now);
        }
        4 => {
            let _ = lab.store.delete(path, now);
        }
        5 => {
            if let Ok(reader) = lab.store.read(path, now) {
                let _ = reader.follow().page(ReadStart::Beginning);
            }
        }
        _ => {
            lab.store.sweep(now);
        }
    }
}
