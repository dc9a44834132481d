//! Services that cannot be started at all: nothing is known of what they would have served.

use std::io::Read;
use std::net::TcpListener;

use crate::support::{Done, Project, check};
use crate::{checked, free_port, of_service, states};

/// A run of one check that needs one service; neither may begin.
fn never_started(service: &str) -> Done {
    let project =
        Project::new(&(service.to_string() + &check("it", "touch ran", "needs = [\"db\"]")));
    let done = checked(&project, &[]);
    assert_eq!(done.status, Some(1), "{}", done.stderr);
    assert_eq!(states(&done), ["db not-started"]);
    assert_eq!(of_service(&done, "db")["reason"]["text"], done.reason("it"));
    assert!(!project.has("ran") && !project.has("started"));
    done
}

fn of_run(run: &str, more: &str) -> String {
    format!("[services.db]\nrun = {run}\nhealthy = {{ log = \"up\" }}\n{more}\n")
}

#[test]
fn a_program_that_is_missing_is_told() {
    let done = never_started(&of_run("[\"no-such-program\"]", ""));
    assert_eq!(done.verdict("it"), "unverified tool-missing");
    assert_eq!(
        done.reason("it"),
        "service `db` could not be started: `no-such-program` is not on PATH"
    );
}

#[test]
fn so_is_one_that_its_shell_would_start_and_how_to_get_it() {
    let tool = "needs_tool = { name = \"no-such-program\", install = \"apt install it\" }";
    for run in [
        "[\"no-such-program\"]",
        "\"touch started; no-such-program\"\nshell = true",
    ] {
        let done = never_started(&of_run(run, tool));
        assert_eq!(done.verdict("it"), "unverified tool-missing", "{run}");
        assert_eq!(
            done.reason("it"),
            "service `db` could not be started: `no-such-program` is not on PATH; install it: apt install it"
        );
    }
}

#[test]
fn a_folder_that_is_missing_is_told() {
    let done = never_started(&of_run("[\"sleep\", \"300\"]", "cwd = \"nowhere\""));
    assert_eq!(done.verdict("it"), "unverified needs-failed");
    let reason = done.reason("it");
    assert!(
        reason.starts_with("service `db` could not be started: the working directory `")
            && reason.ends_with("/nowhere` does not exist"),
        "{reason}"
    );
}

#[test]
fn a_variable_that_is_not_set_is_told() {
    for service in [
        of_run("[\"sleep\", \"{env.NOT_SET_ANYWHERE}\"]", ""),
        of_run(
            "[\"sleep\", \"300\"]",
            "env = { X = \"{env.NOT_SET_ANYWHERE}\" }",
        ),
    ] {
        let done = never_started(&service);
        assert_eq!(done.verdict("it"), "unverified cannot-tell");
        assert_eq!(
            done.reason("it"),
            "service `db` could not be started: `{env.NOT_SET_ANYWHERE}` is not set"
        );
    }
}

/// Runs a service on a port that a server of ours has; it must see connections at most, and not a byte.
fn taken(address: &str, more: impl Fn(u16) -> String) {
    let server = TcpListener::bind(address).unwrap();
    let port = server.local_addr().unwrap().port();
    let service = format!(
        "[services.db]\nshell = true\nrun = \"touch started; sleep 300\"\n{}\n",
        more(port)
    );
    let done = never_started(&service);
    assert_eq!(done.verdict("it"), "unverified port-taken");
    assert_eq!(
        done.reason("it"),
        format!("service `db` could not be started: port {port} is taken by another program")
    );
    server.set_nonblocking(true).unwrap();
    while let Ok((mut stream, _)) = server.accept() {
        stream.set_nonblocking(false).unwrap();
        let mut sent = vec![];
        stream.read_to_end(&mut sent).unwrap();
        assert_eq!(sent, b"");
    }
}

#[test]
fn a_port_that_another_program_serves_is_told_and_not_asked_anything() {
    let port = |port| format!("port = {port}");
    taken("127.0.0.1:0", port);
    taken("0.0.0.0:0", port);
    if TcpListener::bind("[::1]:0").is_ok() {
        taken("[::1]:0", port);
    }
    taken("127.0.0.1:0", |port| {
        format!("port = {port}\nhealthy = {{ http = \"http://127.0.0.1:{{port}}/\" }}")
    });
}

#[test]
fn so_is_one_that_only_the_question_after_its_health_names() {
    for host in ["127.0.0.1", "localhost"] {
        taken("127.0.0.1:0", |port| {
            format!("healthy = {{ http = \"http://{host}:{port}/health\" }}")
        });
    }
}

#[test]
fn so_is_one_at_another_address_of_this_machine() {
    // All of 127.0.0.0/8 is this machine; where it has an address on a network, that too.
    let outward = std::net::UdpSocket::bind("0.0.0.0:0").and_then(|socket| {
        // Nothing is sent: the kernel only looks which address would be used.
        socket.connect("192.0.2.1:9")?;
        socket.local_addr()
    });
    let outward = outward.ok().map(|address| address.ip().to_string());
    for host in ["127.0.0.2".to_string()].into_iter().chain(outward) {
        let address = format!("{host}:0");
        taken(&address, |port| format!("port = {port}"));
        taken(&address, |port| {
            format!("healthy = {{ http = \"http://{host}:{port}/health\" }}")
        });
    }
}

#[test]
fn a_service_may_be_asked_for_at_another_of_the_run() {
    // What stands before it answers for it: that port is taken, by a service of ours.
    let Some(python) = crate::health::python("a service behind another") else {
        return;
    };
    let port = free_port();
    let script = "echo up\nsleep 300 & wait\n";
    let project = Project::new(
        &(crate::health::server("front", &python, &format!("port = {port}"))
            + &crate::service(
                "back",
                script,
                &format!(
                    "needs = [\"front\"]\nhealthy = {{ http = \"http://127.0.0.1:{port}/ok\" }}"
                ),
            )
            + &check("it", "exit 0", "needs = [\"back\"]")),
    );
    let done = checked(&project, &[]);
    assert_eq!(done.verdict("it"), "verified held", "{}", done.reason("it"));
}

#[test]
fn what_shows_that_it_cannot_be_told_here_is_no_failure() {
    let script = "echo 'no such device' >&2; exit 7";
    for rule in ["exit = [7]", "stderr = \"no such device\""] {
        let project = Project::new(
            &(crate::service(
                "db",
                script,
                &format!("healthy = {{ log = \"up\" }}\ncannot_tell = {{ {rule} }}"),
            ) + &check("it", "touch ran", "needs = [\"db\"]")),
        );
        let done = checked(&project, &[]);
        assert_eq!(done.verdict("it"), "unverified cannot-tell", "{rule}");
        assert_eq!(
            done.reason("it"),
            "service `db` could not be started here: no such device"
        );
        assert!(!project.has("ran"));
    }
}
