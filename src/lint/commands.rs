//! What single commands make of failures: which never fail, which are checks, and the options by which a tool is told to
//! say that all is well.

/// Commands that end well whatever they are given, as far as a check is concerned.
pub(super) const NEVER_FAIL: [&str; 22] = [
    "true", ":", "echo", "printf", "pwd", "date", "sleep", "export", "unset", "set", "shopt",
    "trap", "alias", "umask", "local", "readonly", "declare", "typeset", "whoami", "hostname",
    "uname", "clear",
];

/// Commands that pass on what they read, behind a pipe.
pub(super) const FILTERS: [&str; 17] = [
    "tee", "cat", "tail", "head", "sort", "uniq", "sed", "awk", "tr", "cut", "less", "more",
    "column", "fold", "ts", "jq", "wc",
];

/// Programs whose failure says something; with the words that must follow, where only those do.
const CHECKERS: [(&str, &[&str]); 58] = [
    ("pytest", &[]),
    ("py.test", &[]),
    ("tox", &[]),
    ("nox", &[]),
    ("jest", &[]),
    ("vitest", &[]),
    ("mocha", &[]),
    ("playwright", &["test"]),
    ("cypress", &["run"]),
    ("go", &["test", "vet"]),
    (
        "cargo",
        &["test", "clippy", "audit", "deny", "nextest", "fmt"],
    ),
    ("mvn", &[]),
    ("mvnw", &[]),
    ("gradle", &[]),
    ("gradlew", &[]),
    ("npm", &["test", "t", "audit", "run", "run-script"]),
    ("yarn", &["test", "audit", "run", "lint"]),
    ("pnpm", &["test", "audit", "run", "lint"]),
    ("make", &[]),
    ("pip-audit", &[]),
    ("safety", &[]),
    ("bandit", &[]),
    ("mypy", &[]),
    ("pyright", &[]),
    ("ruff", &[]),
    ("flake8", &[]),
    ("pylint", &[]),
    ("black", &[]),
    ("eslint", &[]),
    ("tsc", &[]),
    ("prettier", &[]),
    ("stylelint", &[]),
    ("shellcheck", &[]),
    ("hadolint", &[]),
    ("yamllint", &[]),
    ("actionlint", &[]),
    ("nginx", &["-t"]),
    ("promtool", &[]),
    ("terraform", &["validate", "plan", "fmt"]),
    ("tflint", &[]),
    ("ansible-lint", &[]),
    ("kubeconform", &[]),
    ("helm", &["lint", "template"]),
    ("docker", &["build", "compose"]),
    ("rspec", &[]),
    ("rubocop", &[]),
    ("phpunit", &[]),
    ("dotnet", &["test", "build"]),
    ("trivy", &[]),
    ("grype", &[]),
    ("gitleaks", &[]),
    ("semgrep", &[]),
    ("snyk", &["test"]),
    ("locust", &[]),
    ("k6", &["run"]),
    ("curl", &[]),
    ("osv-scanner", &[]),
    ("gosec", &[]),
];

/// The words without what only says how the rest is started: `env A=b`, `timeout 60`, `npx`, `python -m`, `poetry run`.
pub(super) fn without_wrappers(words: &[String]) -> &[String] {
    let mut words = words;
    loop {
        let Some((name, rest)) = words.split_first() else {
            return words;
        };
        let name = name.rsplit('/').next().unwrap_or(name);
        let plain = |rest: &[String]| {
            rest.iter()
                .take_while(|word| word.starts_with('-') || word.contains('='))
                .count()
        };
        let skip = match name {
            "env" if !rest.is_empty() => plain(rest),
            "time" | "nice" | "nohup" | "sudo" | "command" | "exec" | "npx" | "bunx"
            | "xvfb-run" | "stdbuf" => plain(rest),
            "timeout" => plain(rest) + 1,
            "poetry" | "pipenv" | "uv" | "pdm" | "hatch" | "rye" | "bundle"
                if rest
                    .first()
                    .is_some_and(|word| ["run", "exec"].contains(&word.as_str())) =>
            {
                1
            }
            _ if is_python(name) && rest.first().is_some_and(|word| word == "-m") => 1,
            _ => return words,
        };
        match rest.get(skip..) {
            Some(rest) if !rest.is_empty() => words = rest,
            _ => return words,
        }
    }
}

fn is_python(name: &str) -> bool {
    name.strip_prefix("python")
        .is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit() || c == '.'))
}

/// Whether the failure of a command says something.
pub(super) fn is_checker(words: &[String]) -> bool {
    let words = without_wrappers(words);
    let Some((name, rest)) = words.split_first() else {
        return false;
    };
    let name = name.rsplit('/').next().unwrap_or(name);
    CHECKERS.iter().any(|(checker, follows)| {
        *checker == name
            && (follows.is_empty() || rest.iter().any(|word| follows.contains(&word.as_str())))
    })
}

/// Something about a command by which it cannot fail for what it is to find.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Remark {
    /// The rule.
    pub(super) rule: &'static str,
    /// What it does.
    pub(super) text: String,
    /// What to do.
    pub(super) hint: &'static str,
}

/// Options of any tool that make it say that all is well.
const SILENCERS: [&str; 20] = [
    "--exit-zero",
    "--exit-zero-even-if-changed",
    "--passWithNoTests",
    "--pass-with-no-tests",
    "--no-fail",
    "--soft-fail",
    "--fail-never",
    "--ignore-failures",
    "--allow-no-tests",
    "--no-error-exit-code",
    "--collect-only",
    "--no-run",
    "--exit-code=0",
    "--audit-level=none",
    "--fail-under=0",
    "--cov-fail-under=0",
    "--no-tests=pass",
    "-Dmaven.test.failure.ignore=true",
    "-Dmaven.test.failure.ignore",
    "-DskipTests",
];

/// Options with a value of their own.
const SILENCING_PAIRS: [(&str, &str); 5] = [
    ("--exit-code", "0"),
    ("--audit-level", "none"),
    ("--fail-under", "0"),
    ("--cov-fail-under", "0"),
    ("--no-tests", "pass"),
];

/// What makes a command say that all is well whatever it finds; none where nothing does.
pub(super) fn remark(words: &[String]) -> Option<Remark> {
    let words = without_wrappers(words);
    let (name, rest) = words.split_first()?;
    let name = name.rsplit('/').next().unwrap_or(name);
    let has = |word: &str| rest.iter().any(|other| other == word);
    let begins = |start: &str| rest.iter().any(|other| other.starts_with(start));
    // What a caller hands on is not the tool's own: `npm test -- --passWithNoTests` is.
    let silencer = SILENCERS.iter().find(|option| has(option));
    let pair = SILENCING_PAIRS.iter().find(|(option, value)| {
        let mut pairs = rest.windows(2);
        pairs.any(|pair| pair[0] == *option && pair[1] == *value)
    });
    let silencer = silencer.map(|option| option.to_string());
    let silencer = silencer.or_else(|| pair.map(|(option, value)| format!("{option} {value}")));
    if let Some(option) = silencer
        && name != "curl"
    {
        return Some(Remark {
            rule: "exit-zero",
            text: format!(
                "`{name}` is told by `{option}` to say that all is well whatever it finds"
            ),
            hint: "take the option out, or read the tool's results with a `reader`",
        });
    }
    let says_well = |rule, text: &str, hint| {
        Some(Remark {
            rule,
            text: format!("`{name}` {text}"),
            hint,
        })
    };
    let reader = "read its results with a `reader`, or give it the option that makes it fail";
    match name {
        "curl" if !curl_fails(rest) => says_well(
            "curl-without-fail",
            "ends well whatever the server answers, an error page too",
            "add `--fail`, or use an `http` check, which can judge the body as well",
        ),
        "mvn" | "mvnw" if has("-fn") => says_well(
            "exit-zero",
            "is told by `-fn` to end well whatever fails",
            reader,
        ),
        "make" | "gmake" if has("-i") || has("--ignore-errors") => says_well(
            "exit-zero",
            "is told by `-i` to go on and end well whatever fails",
            "take the option out",
        ),
        "go" if has("test")
            && (begins("-run=^$") || rest.windows(2).any(|w| w[0] == "-run" && w[1] == "^$")) =>
        {
            says_well(
                "runs-nothing",
                "runs no test with `-run ^$`",
                "run the tests",
            )
        }
        "pytest" | "py.test" if has("--co") => says_well(
            "runs-nothing",
            "only collects the tests with `--co`",
            "run the tests",
        ),
        "trivy" if !begins("--exit-code") && !has("--version") => says_well(
            "exit-zero",
            "ends well whatever it finds without `--exit-code 1`",
            reader,
        ),
        "grype" if !begins("--fail-on") && !has("-f") && !has("version") => says_well(
            "exit-zero",
            "ends well whatever it finds without `--fail-on`",
            reader,
        ),
        "semgrep" if !has("--error") && !has("ci") && !has("--strict") && !has("--version") => {
            says_well(
                "exit-zero",
                "ends well with findings without `--error`",
                reader,
            )
        }
        "detect-secrets" if has("scan") => says_well(
            "exit-zero",
            "ends well with findings when it scans",
            "use `detect-secrets-hook`, which fails",
        ),
        "trufflehog" if !has("--fail") => says_well(
            "exit-zero",
            "ends well with findings without `--fail`",
            reader,
        ),
        "hey" | "oha" | "wrk" | "ab" => says_well(
            "exit-zero",
            "ends well whatever the server answers, and with none there",
            "judge its figures: `reader = { json = … }` with `limits`, or the check `locust` of the library",
        ),
        "docker" | "docker-compose" if compose_up(name, rest) => says_well(
            "compose-without-wait",
            "ends well when containers crash after their start",
            "add `--wait`, or use the check `compose-up` of the library",
        ),
        "npm" if has("install") && has("--audit") => says_well(
            "exit-zero",
            "installs, and ends well whatever the audit says",
            "use the check `npm-audit` of the library",
        ),
        _ => version_only(name, rest),
    }
}

/// A check that only asks a program who it is.
fn version_only(name: &str, rest: &[String]) -> Option<Remark> {
    const ASKS: [&str; 6] = ["--version", "-version", "--help", "-V", "-h", "version"];
    let [only] = rest else { return None };
    let asks = ASKS.contains(&only.as_str())
        || (only == "-v" && ["nginx", "node", "npm", "docker"].contains(&name));
    asks.then(|| Remark {
        rule: "version-only",
        text: format!("`{name} {only}` shows that the program is there, not that anything works"),
        hint: "run what the statement says, or write `tool = …`, which claims no more",
    })
}

/// Whether curl fails where the server says so.
fn curl_fails(rest: &[String]) -> bool {
    rest.iter().any(|word| {
        let letters = word
            .strip_prefix('-')
            .filter(|letters| !letters.starts_with('-'));
        word == "--fail"
            || word == "--fail-with-body"
            || word == "--fail-early"
            || word == "--version"
            || letters.is_some_and(short_fail)
    })
}

/// Whether a bundle of short options has `f`: `-fsS`. An option with a value takes the rest of the bundle.
fn short_fail(letters: &str) -> bool {
    for letter in letters.chars() {
        match letter {
            'f' => return true,
            'o' | 'X' | 'H' | 'd' | 'u' | 'm' | 'A' | 'w' | 'e' | 'b' | 'c' | 'T' | 'x' | 'K' => {
                return false;
            }
            _ => {}
        }
    }
    false
}

fn compose_up(name: &str, rest: &[String]) -> bool {
    let has = |word: &str| rest.iter().any(|other| other == word);
    let compose = name == "docker-compose" || rest.first().is_some_and(|word| word == "compose");
    compose && has("up") && (has("-d") || has("--detach")) && !has("--wait")
}
