use std::io::Write;
use std::process::{Command, Output, Stdio};

fn tally(text: &[u8]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_tally"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    program.stdin.take().unwrap().write_all(text).unwrap();
    program.wait_with_output().unwrap()
}

#[test]
fn it_counts_what_it_is_given() {
    let output = tally(b"the cat and the hat\n");
    assert!(output.status.success());
    assert_eq!(output.stdout, b"2 the\n1 and\n1 cat\n1 hat\n");
}

#[test]
fn what_is_no_text_fails() {
    assert!(!tally(b"\xff\xfe").status.success());
}
