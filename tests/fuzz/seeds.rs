//! What the inputs begin as: manifests, documents and results as tools really write them.

use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

fn file(name: &str) -> Vec<u8> {
    std::fs::read(root().join(name)).unwrap()
}

pub(crate) fn manifests() -> Vec<Vec<u8>> {
    // Blocks of the documentation are manifests, too, or parts of some.
    let text = String::from_utf8(file("docs/manifest.md")).unwrap();
    let blocks = text
        .split("```toml")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap().into());
    let mut seeds = vec![
        file("tests/projects/shop/readiness.toml"),
        file("readiness.toml"),
    ];
    seeds.extend(blocks);
    for name in [
        "pytest",
        "http-health",
        "nginx-config",
        "sentry-captures",
        "graceful-shutdown",
        "locust",
    ] {
        seeds.push(file(&format!("checks/{name}.toml")));
    }
    seeds
}

pub(crate) fn documents() -> Vec<Vec<u8>> {
    [
        "tests/projects/shop/STATUS.md",
        "README.md",
        "CHANGELOG.md",
        "docs/score.md",
    ]
    .map(file)
    .to_vec()
}

pub(crate) fn queries() -> Vec<Vec<u8>> {
    let queries: [&str; 8] = [
        ".passed",
        "[.tests[] | select(.status == \"failed\")] | length",
        ".a.b[0:3] // 0",
        "def f(x): x + 1; f(.n) as $n | if $n > 2 then $n else empty end",
        "reduce .[] as $x (0; . + ($x.vulns | length))",
        ".. | numbers?",
        "\"\\(.a) of \\(.b)\" | test(\"^[0-9]+\"; \"x\")",
        "try error(\"x\") catch . | @base64 | ltrimstr(\"a\") | tonumber",
    ];
    queries.map(|query| query.as_bytes().to_vec()).to_vec()
}

/// Results in every format that a reader knows.
pub(crate) fn results() -> Vec<Vec<u8>> {
    let texts: [&str; 22] = [
        "<?xml version=\"1.0\"?><testsuites><testsuite name=\"a\" tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"1\"><testcase classname=\"c\" name=\"x\" time=\"0.1\"/><testcase classname=\"c\" name=\"y\"><failure message=\"m\">t</failure></testcase><testcase name=\"z\"><skipped/></testcase></testsuite></testsuites>",
        "{\"numFailedTests\":1,\"numPassedTests\":2,\"numPendingTests\":0,\"numTodoTests\":0,\"numTotalTests\":3,\"numRuntimeErrorTestSuites\":0,\"success\":false,\"testResults\":[{\"assertionResults\":[{\"fullName\":\"a\",\"status\":\"failed\"},{\"fullName\":\"b\",\"status\":\"passed\"}]}]}",
        "{\"stats\":{\"passes\":2,\"failures\":1,\"pending\":0,\"tests\":3},\"failures\":[{\"fullTitle\":\"a b\"}]}",
        "{\"stats\":{\"expected\":2,\"unexpected\":1,\"flaky\":0,\"skipped\":0},\"errors\":[],\"suites\":[{\"specs\":[{\"title\":\"t\",\"ok\":false}]}]}",
        "TAP version 14\n1..4\nok 1 - a\nnot ok 2 - b # TODO later\n  ---\n  message: x\n  ...\nok 3 # SKIP no\nnot ok 4 - d\n",
        "{\"results\":{\"tool\":{\"name\":\"t\"},\"summary\":{\"tests\":2,\"passed\":1,\"failed\":1,\"pending\":0,\"skipped\":0,\"other\":0,\"start\":0,\"stop\":1},\"tests\":[{\"name\":\"a\",\"status\":\"passed\",\"duration\":1},{\"name\":\"b\",\"status\":\"failed\",\"duration\":2}]}}",
        "{\"Action\":\"run\",\"Package\":\"p\",\"Test\":\"T\"}\n{\"Action\":\"pass\",\"Package\":\"p\",\"Test\":\"T\",\"Elapsed\":0.1}\n{\"Action\":\"fail\",\"Package\":\"p\",\"Test\":\"U\"}\n{\"Action\":\"fail\",\"Package\":\"p\"}\n",
        "running 3 tests\ntest a ... ok\ntest b ... FAILED\ntest c ... ignored\n\ntest result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n",
        "============ 2 failed, 35 passed, 3 skipped in 0.52s ============\nFAILED tests/test_a.py::test_b - assert 1 == 2\n",
        "     Summary [   0.012s] 4 tests run: 3 passed (1 flaky), 1 failed, 2 skipped\n        FAIL [   0.003s] a b::c\n",
        "{\"dependencies\":[{\"name\":\"jinja2\",\"version\":\"2.4.1\",\"vulns\":[{\"id\":\"PYSEC-1\",\"fix_versions\":[\"2.11\"],\"description\":\"d\"}]},{\"name\":\"x\",\"skip_reason\":\"no\"}],\"fixes\":[]}",
        "{\"auditReportVersion\":2,\"vulnerabilities\":{},\"metadata\":{\"vulnerabilities\":{\"info\":0,\"low\":1,\"moderate\":0,\"high\":2,\"critical\":0,\"total\":3},\"dependencies\":{\"total\":12}}}",
        "{\"database\":{\"advisory-count\":700,\"last-commit\":\"a\",\"last-updated\":\"2026-11-01T00:00:00Z\"},\"lockfile\":{\"dependency-count\":3},\"vulnerabilities\":{\"found\":true,\"count\":1,\"list\":[{\"advisory\":{\"id\":\"R-1\"},\"package\":{\"name\":\"p\"}}]},\"warnings\":{}}",
        "[{\"message\":\"m\",\"filepath\":\"f\",\"line\":1,\"column\":2,\"kind\":\"syntax-check\"}]",
        "[{\"file\":\"a.sh\",\"line\":1,\"column\":1,\"level\":\"warning\",\"code\":2086,\"message\":\"quote\"}]",
        "Checking rules.yml\n  SUCCESS: 3 rules found\n\nChecking other.yml\n  FAILED:\nother.yml: 4:3: group \"x\"\n",
        "web\ndb\nworker\n",
        "nginx: the configuration file /etc/nginx/nginx.conf syntax is ok\nnginx: configuration file test is successful\n# configuration file /a.conf:\nserver { listen 80; }\n",
        "[{\"name\":\"/\",\"method\":\"GET\",\"num_requests\":10,\"num_failures\":1,\"response_times\":{\"10\":5,\"20.0\":5},\"start_time\":1.0,\"last_request_timestamp\":3.0,\"total_response_time\":150.0,\"max_response_time\":20,\"min_response_time\":10}]",
        "# HELP a_total it\n# TYPE a_total counter\na_total{path=\"/\",code=\"200\"} 12\n# TYPE h histogram\nh_bucket{le=\"0.1\"} 3\nh_bucket{le=\"+Inf\"} 4\nh_sum 0.5\nh_count 4\n# EOF\n",
        "TN:\nSF:a.js\nDA:1,1\nDA:2,0\nLF:2\nLH:1\nBRF:2\nBRH:1\nend_of_record\n",
        "<?xml version=\"1.0\"?><!DOCTYPE coverage SYSTEM \"c.dtd\"><coverage line-rate=\"0.85\" branch-rate=\"0.5\" lines-covered=\"85\" lines-valid=\"100\" timestamp=\"1\"><packages/></coverage>",
    ];
    texts.map(|text| text.as_bytes().to_vec()).to_vec()
}

/// What programs print that is not only text.
pub(crate) fn outputs() -> Vec<Vec<u8>> {
    let texts: [&str; 5] = [
        "\u{1b}[1;31mFAILED\u{1b}[0m tests/a.py\r\n\u{1b}[38;2;1;2;3mrgb\u{1b}[m \u{1b}]8;;http://x\u{7}link\u{1b}]8;;\u{7}\n",
        "10%\r50%\r100%\n\u{9b}31m c1 \u{202e}bidi\u{2069} \u{200b}zero\u{ad}\n",
        "::error file=a::b ##[error]x ]]> <script>&amp; \u{0}\u{8}\n",
        "plain text, ünïcode ✓ 日本語 🎉\nsecond line\twith tab\n",
        "password=hunter2-Passw0rd! token: aHVudGVyMi1QYXNzdzByZCE= url?key=hunter2-Passw0rd%21\n",
    ];
    texts.map(|text| text.as_bytes().to_vec()).to_vec()
}

/// Reports of a small project, as this program writes them.
pub(crate) fn reports() -> Vec<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let manifest = "[project]\nname = \"fuzzed\"\n[claims]\noverall = 95\ndocuments = [\"STATUS.md\"]\n[gate]\nmin_score = 50\n[gates.other]\nsays = \"ship\"\nrequire = [\"a\"]\n\
        [components.one]\nclaim = 90\n[checks.a]\ncomponent = \"one\"\nsays = \"a\"\nfile = \"readiness.toml\"\nfix = { takes = \"1h\", how = \"mend\" }\n\
        [checks.b]\nsays = \"b\"\nfile = \"none\"\n[checks.c]\nsays = \"c\"\nrun = [\"no-such-program\"]\n[checks.d]\nsays = \"d\"\nneeds = [\"b\"]\nvariable = \"HOME\"\n\
        [waivers.b]\nowner = \"o\"\nreason = \"r\"\nexpires = 2099-01-01\n";
    std::fs::write(folder.path().join("readiness.toml"), manifest).unwrap();
    std::fs::write(
        folder.path().join("STATUS.md"),
        "# One\n\nOne: 90% done, 3/4 tests pass\n",
    )
    .unwrap();
    let ready = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_ready"))
            .args(args)
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(
            !output.stdout.is_empty(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        output.stdout
    };
    [
        &["check", "--format", "json"][..],
        &["check", "a", "--format", "json"],
        &["status", "--format", "json"],
    ]
    .map(ready)
    .to_vec()
}
