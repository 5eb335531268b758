# needs: rustc
if [ "${1-}" = --needs ]; then for n in rustc; do command -v "$n" || exit 1; done; exit 0; fi
d=$(mktemp -d); cat > $d/m.rs <<'R'
use std::{sync::{mpsc, Arc, Mutex}, thread};
fn main() {
    let total = Arc::new(Mutex::new(0u64));
    let (tx, rx) = mpsc::channel();
    let hs: Vec<_> = (0..8).map(|n| { let (t, tx) = (total.clone(), tx.clone()); thread::spawn(move || { for i in 0..10000u64 { *t.lock().unwrap() += i * n; } tx.send(n).unwrap(); }) }).collect();
    drop(tx);
    for h in hs { h.join().unwrap(); }
    println!("{} {}", total.lock().unwrap(), rx.iter().sum::<u64>());
    println!("{:?}", std::process::Command::new("echo").arg("x").output().unwrap().stdout);
    std::process::exit(6);
}
R
rustc -O -o $d/m $d/m.rs 2>&1 && $d/m; echo $?; rm -r $d
