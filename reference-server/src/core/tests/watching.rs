use std::sync::{Arc, Mutex};

use super::*;
use crate::core::store::StreamObserver;

#[derive(Default)]
struct Log(Mutex<Vec<String>>);

impl StreamObserver for Log {
    fn appended(&self, path: &str, previous_tail: Offset, tail: Offset) {
        let (from, to) = (previous_tail.position(), tail.position());
        self.0.lock().unwrap().push(format!("{path} {from}-{to}"));
    }

    fn deleted(&self, path: &str) {
        self.0.lock().unwrap().push(format!("{path} gone"));
    }
}

#[test]
fn an_observer_hears_of_data_and_of_the_end() {
    let mut lab = Lab::new();
    let log = Arc::new(Log::default());
    assert!(lab.store.observe(log.clone()));
    assert!(!lab.store.observe(Arc::new(Log::default())));
    lab.text("empty", "");
    lab.text("a", "one");
    lab.add("a", "two");
    assert!(lab.append("a", text("")).is_err());
    lab.create("f", &Creation { body: b"!", expiry: ttl("5"), ..fork("a", None, 0) }).unwrap();
    lab.close("a").unwrap();
    lab.delete("a").unwrap();
    lab.wait(5);
    lab.store.sweep(lab.now);
    let heard = std::mem::take(&mut *log.0.lock().unwrap());
    assert_eq!(heard, ["a 0-3", "a 3-6", "f 6-7", "a gone", "f gone"]);
}

#[test]
fn paths_and_tails_are_those_of_readable_streams() {
    let mut lab = Lab::new();
    lab.text("a", "one");
    lab.create("f", &fork("a", None, 0)).unwrap();
    lab.create("short", &Creation { expiry: ttl("1"), ..Creation::default() }).unwrap();
    lab.delete("a").unwrap();
    lab.wait(1);
    assert_eq!(lab.store.paths(lab.now), ["f".into()]);
    assert_eq!(lab.store.tail("f", lab.now), Some(Offset::at(3)));
    assert_eq!(lab.store.origin("f", lab.now), Some(Offset::at(3)));
    assert_eq!(lab.store.tail("a", lab.now), None);
    assert_eq!(lab.store.tail("short", lab.now), None);
}

#[tokio::test]
async fn a_change_between_two_looks_is_never_missed() {
    let lab = Lab::new();
    lab.text("a", "");
    let reader = lab.store.read("a", lab.now).unwrap().follow();
    let changes: [fn(&Lab); 3] =
        [|lab| drop(lab.append("a", text("x"))), |lab| drop(lab.close("a")), |lab| lab.delete("a").unwrap()];
    for change in changes {
        let changed = reader.changed();
        change(&lab);
        changed.await;
    }
}
