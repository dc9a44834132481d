//! What shows that a service is healthy: a line of its log, its port, an answer that is as expected.

use crate::support::{Project, check};
use crate::{checked, of_service, service, states, text, tools};

/// Answers on its port; `/later` only from the third time on.
const SERVER: &str = r#"
import http.server, sys
asked = []
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        asked.append(self.path)
        late = self.path == "/later" and asked.count("/later") < 3
        body = b"{\"status\": \"down\"}" if self.path == "/down" else b"{\"status\": \"ok\"}"
        self.send_response(503 if late else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"#;

pub(crate) fn python(test: &str) -> Option<String> {
    let found = tools::find(test, &["python3"])?;
    Some(found[0].to_str().unwrap().to_string())
}

/// A service that answers HTTP.
pub(crate) fn server(id: &str, python: &str, more: &str) -> String {
    format!("[services.{id}]\nrun = [\"{python}\", \"-c\", '''{SERVER}''', \"{{port}}\"]\n{more}\n")
}

fn http(path: &str, expect: &str) -> String {
    format!(
        "port = \"auto\"\nhealthy = {{ http = \"http://127.0.0.1:{{port}}/{path}\", expect = {{ {expect} }}, within = \"30s\" }}"
    )
}

#[test]
fn a_line_of_either_stream_tells_however_it_was_written() {
    for script in [
        "echo starting; echo 'INFO ready on 1'",
        "echo starting >&2; echo 'INFO ready on 1' >&2",
        "printf 'INFO re'; printf 'noise\\n' >&2; printf 'ady on'; printf ' 1\\n'",
    ] {
        let project = Project::new(
            &(service(
                "db",
                &format!("{script}\nsleep 300 & wait"),
                "healthy = { log = \"^INFO ready\" }",
            ) + &check("it", "exit 0", "needs = [\"db\"]")),
        );
        let done = checked(&project, &[]);
        assert_eq!(done.verdict("it"), "verified held", "{script}");
        assert_eq!(states(&done), ["db healthy"]);
    }
}

#[test]
fn an_answer_tells_once_it_is_as_expected() {
    let Some(python) = python("a service that answers") else {
        return;
    };
    let project = Project::new(
        &(server(
            "front",
            &python,
            &http("later", "status = 200, json = { \"$.status\" = \"ok\" }"),
        ) + &server("back", &python, "port = \"auto\"")
            + "[checks.page]\nsays = \"x\"\nhttp = \"http://127.0.0.1:{services.front.port}/page\"\nexpect = { status = 200 }\nneeds = [\"front\"]\n"
            + &check(
                "ports",
                "echo {services.front.port} {services.back.port} $BACK > ports",
                "needs = [\"front\", \"back\"]\nenv = { BACK = \"{services.back.port}\" }",
            )),
    );
    let done = checked(&project, &[]);
    assert_eq!(done.verdict("page"), "verified held");
    assert_eq!(done.verdict("ports"), "verified held");
    let (front, back) = (of_service(&done, "front"), of_service(&done, "back"));
    assert_ne!(front["port"], back["port"]);
    assert_eq!(
        text(&project, "ports"),
        format!("{} {} {}\n", front["port"], back["port"], back["port"])
    );
    let log = front["stderr"]["tail"].to_string();
    assert!(
        log.contains("GET /later HTTP/1.1\\\" 503") && log.contains("GET /page"),
        "{log}"
    );
    assert_eq!(front["command"][3], front["port"].to_string());
}

#[test]
fn an_answer_that_is_not_as_expected_never_does() {
    let Some(python) = python("a service that answers otherwise") else {
        return;
    };
    // It must have begun to answer by then, which a loaded machine may take its time for.
    let health = http("down", "json = { \"$.status\" = \"ok\" }").replace("30s", "10s");
    let project = Project::new(
        &(server("front", &python, &health) + &check("it", "touch ran", "needs = [\"front\"]")),
    );
    let done = checked(&project, &[]);
    assert_eq!(done.verdict("it"), "failed service-failed");
    let port = of_service(&done, "front")["port"].clone();
    assert_eq!(
        done.reason("it"),
        format!(
            "service `front` was not healthy within 10.0 s: expected of http://127.0.0.1:{port}/down: `$.status` is \"ok\"; it is \"down\""
        )
    );
    assert_eq!(states(&done), ["front unhealthy"]);
    assert!(!project.has("ran"));
}

#[test]
fn a_child_that_holds_the_port_of_one_that_died_is_ended_with_it() {
    let Some(python) = python("a child that holds a port") else {
        return;
    };
    let port = crate::free_port();
    let script = format!(
        "echo $$ > pid\n{python} server.py {port} &\nwhile [ ! -e die ]; do sleep 0.01; done\nexit 1\n"
    );
    let project = Project::new(
        &(service("db", &script, &format!("port = {port}"))
            + &check("it", crate::down::KILLS, "needs = [\"db\"]")),
    );
    project.write("server.py", SERVER);
    let done = checked(&project, &[]);
    assert_eq!(done.verdict("it"), "failed service-failed");
    assert_eq!(states(&done), ["db died"]);
    let leaked = of_service(&done, "db")["leaked"].to_string();
    assert!(leaked.contains("server.py"), "{leaked}");
    assert!(std::net::TcpListener::bind(("127.0.0.1", port)).is_ok());
}
