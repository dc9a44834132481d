//! What comments and strings look like in each language: data for the scanner in the parent module. A language that
//! is like one of these takes a word in [`LANGUAGES`]; one that is not, a list of rules.

/// Extensions, first parts of names, rules, and programs in a `#!` line.
pub(super) struct Language(
    pub(super) &'static str,
    pub(super) &'static str,
    pub(super) &'static [Rule],
    pub(super) &'static str,
);

pub(super) const LANGUAGES: &[Language] = &[
    Language("py pyi pyw bzl star", "", PYTHON, "python uv"),
    Language(
        "js mjs cjs jsx ts mts cts tsx json jsonc json5",
        "",
        JAVASCRIPT,
        "node deno bun tsx",
    ),
    Language("rs", "", RUST, ""),
    Language("go mod", "", GO, ""),
    Language("c h cc cpp cxx hh hpp hxx m mm proto zig", "", C, ""),
    Language("java", "", JAVA, ""),
    Language("kt kts scala dart groovy gradle", "jenkinsfile", KOTLIN, ""),
    Language("swift", "", SWIFT, ""),
    Language("cs", "", CSHARP, ""),
    Language("php phtml", "", PHP, "php"),
    Language("css", "", CSS, ""),
    Language("scss less", "", SCSS, ""),
    Language("html htm vue svelte", "", HTML, ""),
    Language(
        "xml svg xsd xsl xslt csproj props targets plist xaml",
        "",
        XML,
        "",
    ),
    Language("md markdown mdx", "", MARKDOWN, ""),
    Language("sql", "", SQL, ""),
    Language("lua", "", LUA, "lua"),
    Language("tf tfvars hcl", "", TERRAFORM, ""),
    Language("ps1 psm1 psd1", "", POWERSHELL, "pwsh"),
    Language(
        "sh bash zsh ksh bashrc zshrc profile envrc",
        "",
        SHELL,
        "sh bash zsh ksh dash",
    ),
    Language(
        "dockerfile containerfile mk mak",
        "dockerfile containerfile makefile gnumakefile",
        BUILD,
        "",
    ),
    Language(
        "rb rake gemspec ru",
        "gemfile rakefile vagrantfile podfile fastfile brewfile",
        RUBY,
        "ruby",
    ),
    Language("pl pm t", "", PERL, "perl"),
    Language(
        "ex exs r graphql gql",
        "",
        HASH_AND_QUOTES,
        "elixir Rscript",
    ),
    Language("yaml yml", "", YAML, ""),
    Language("toml", "pipfile", TOML, ""),
    Language(
        "env conf htaccess",
        "env caddyfile requirements constraints",
        CONF,
        "",
    ),
    Language("ini cfg cnf service timer socket", "", INI, ""),
    Language("properties", "", PROPERTIES, ""),
    Language(
        "gitignore dockerignore gitattributes",
        "codeowners procfile crontab",
        LINES,
        "",
    ),
];

#[derive(Clone, Copy)]
pub(super) enum Rule {
    /// A comment to the end of the line, or to what stands third.
    Line(&'static str, Place, &'static str),
    /// A comment between two markers; whether it nests.
    Block(&'static str, &'static str, Place, bool),
    Text(Quote),
    /// A literal of one character; a quote that begins none (a lifetime, a digit separator) is code.
    Char,
    /// A regular expression between slashes, where no division can stand.
    Regex,
    /// A text or comment whose closing marker repeats a part of the opening one.
    Fence(Fence),
    /// What stands before the word that ends the text on the following lines; whether blanks may stand between.
    Heredoc(&'static str, bool),
    /// Another language between two markers (in lower case), from the `>` that ends the first.
    Island(&'static str, &'static str, &'static [Rule]),
}

/// Where a marker counts.
#[derive(Clone, Copy)]
pub(super) enum Place {
    Anywhere,
    /// At the beginning of the file.
    Start,
    /// First on its line.
    Line,
    /// At the start of a word: after white space or one of these.
    Word(&'static [u8]),
    /// At the start of a value: first on its line or where the last code is one of these.
    Value(&'static [u8]),
}

#[derive(Clone, Copy)]
pub(super) struct Quote {
    pub(super) open: &'static str,
    pub(super) close: &'static str,
    /// Takes the next byte's meaning; the closing quote itself where it is doubled, 0 for none.
    pub(super) escape: u8,
    /// Whether it goes on past the end of the line.
    pub(super) lines: bool,
    /// What begins code inside of it, up to the bracket that closes it.
    pub(super) hole: &'static str,
    pub(super) place: Place,
    /// Whether it is a comment in effect where it is a whole statement.
    pub(super) comment_alone: bool,
}

/// `open`, any of `fill`, `mid` … `close`, the same fill, `end`.
#[derive(Clone, Copy)]
pub(super) struct Fence {
    pub(super) open: &'static str,
    pub(super) fill: fn(&u8) -> bool,
    pub(super) mid: &'static str,
    pub(super) close: &'static str,
    pub(super) end: &'static str,
    pub(super) comment: bool,
}

const QUOTE: Quote = Quote {
    open: "\"",
    close: "\"",
    escape: b'\\',
    lines: false,
    hole: "",
    place: Place::Anywhere,
    comment_alone: false,
};

const fn text(open: &'static str, close: &'static str, escape: u8, lines: bool) -> Rule {
    Rule::Text(Quote {
        open,
        close,
        escape,
        lines,
        ..QUOTE
    })
}

const fn text_with(quote: &'static str, escape: u8, lines: bool, hole: &'static str) -> Rule {
    Rule::Text(Quote {
        open: quote,
        close: quote,
        escape,
        lines,
        hole,
        ..QUOTE
    })
}

const fn text_at(quote: &'static str, escape: u8, place: Place) -> Rule {
    Rule::Text(Quote {
        open: quote,
        close: quote,
        escape,
        place,
        ..QUOTE
    })
}

const fn statement(quote: &'static str, lines: bool) -> Rule {
    Rule::Text(Quote {
        open: quote,
        close: quote,
        lines,
        comment_alone: true,
        ..QUOTE
    })
}

const fn line(open: &'static str) -> Rule {
    Rule::Line(open, Place::Anywhere, "\n")
}

const fn word(open: &'static str, after: &'static [u8]) -> Rule {
    Rule::Line(open, Place::Word(after), "\n")
}

const fn block(open: &'static str, close: &'static str) -> Rule {
    Rule::Block(open, close, Place::Anywhere, false)
}

const SLASHES: Rule = line("//");
const STARS: Rule = block("/*", "*/");
const NESTED: Rule = Rule::Block("/*", "*/", Place::Anywhere, true);
const DOUBLE: Rule = text("\"", "\"", b'\\', false);
const SINGLE: Rule = text("'", "'", b'\\', false);
/// An apostrophe within a word (`don't`) opens nothing.
const WORD_QUOTE: Rule = text_at("'", b'\\', Place::Word(b"=([{,:"));
const TRIPLE: Rule = text("\"\"\"", "\"\"\"", b'\\', true);
const TRIPLE_SINGLE: Rule = text("'''", "'''", b'\\', true);
const XML_COMMENT: Rule = block("<!--", "-->");
const RUST_FENCE: Fence = Fence {
    open: "r",
    fill: |b| *b == b'#',
    mid: "\"",
    close: "\"",
    end: "",
    comment: false,
};
const SWIFT_FENCE: Fence = Fence {
    open: "#",
    close: "\"#",
    ..RUST_FENCE
};
const CPP_FENCE: Fence = Fence {
    open: "R\"",
    fill: |b| !b"()\\ \"\n".contains(b),
    mid: "(",
    close: ")",
    end: "\"",
    comment: false,
};
const LUA_FENCE: Fence = Fence {
    open: "[",
    fill: |b| *b == b'=',
    mid: "[",
    close: "]",
    end: "]",
    comment: false,
};
const LUA_COMMENT: Fence = Fence {
    open: "--[",
    comment: true,
    ..LUA_FENCE
};

const PYTHON: &[Rule] = &[
    line("#"),
    statement("\"\"\"", true),
    statement("'''", true),
    statement("\"", false),
    statement("'", false),
];
const JAVASCRIPT: &[Rule] = &[
    SLASHES,
    STARS,
    DOUBLE,
    SINGLE,
    text_with("`", b'\\', true, "${"),
    Rule::Regex,
];
const RUST: &[Rule] = &[
    SLASHES,
    NESTED,
    Rule::Fence(RUST_FENCE),
    text("\"", "\"", b'\\', true),
    Rule::Char,
];
const GO: &[Rule] = &[SLASHES, STARS, DOUBLE, text("`", "`", 0, true), Rule::Char];
const C: &[Rule] = &[SLASHES, STARS, Rule::Fence(CPP_FENCE), DOUBLE, Rule::Char];
const JAVA: &[Rule] = &[SLASHES, STARS, TRIPLE, DOUBLE, Rule::Char];
const KOTLIN: &[Rule] = &[
    SLASHES,
    NESTED,
    text_with("\"\"\"", 0, true, "${"),
    TRIPLE_SINGLE,
    text_with("\"", b'\\', false, "${"),
    SINGLE,
];
const SWIFT: &[Rule] = &[
    SLASHES,
    NESTED,
    Rule::Fence(SWIFT_FENCE),
    text_with("\"\"\"", b'\\', true, "\\("),
    text_with("\"", b'\\', false, "\\("),
];
const CSHARP: &[Rule] = &[
    SLASHES,
    STARS,
    text("@$\"", "\"", b'"', true),
    text("@\"", "\"", b'"', true),
    text("\"\"\"", "\"\"\"", 0, true),
    DOUBLE,
    Rule::Char,
];
/// What stands outside of `<?php … ?>` is text to PHP; `#[` begins an attribute.
const PHP: &[Rule] = &[
    Rule::Text(Quote {
        open: "",
        close: "<?",
        escape: 0,
        lines: true,
        place: Place::Start,
        ..QUOTE
    }),
    text("?>", "<?", 0, true),
    Rule::Line("//", Place::Anywhere, "?>"),
    text("#[", "", 0, false),
    Rule::Line("#", Place::Anywhere, "?>"),
    STARS,
    Rule::Heredoc("<<<", true),
    text("\"", "\"", b'\\', true),
    text("'", "'", b'\\', true),
];
const CSS: &[Rule] = &[STARS, DOUBLE, SINGLE];
const SCSS: &[Rule] = &[word("//", b";{}"), STARS, DOUBLE, SINGLE];
const HTML: &[Rule] = &[
    XML_COMMENT,
    Rule::Island("<script", "</script", JAVASCRIPT),
    Rule::Island("<style", "</style", SCSS),
];
const XML: &[Rule] = &[text("<![CDATA[", "]]>", 0, true), XML_COMMENT];
const MARKDOWN: &[Rule] = &[
    text("```", "```", 0, true),
    text("`", "`", 0, false),
    XML_COMMENT,
];
const SQL: &[Rule] = &[
    line("--"),
    STARS,
    text("'", "'", 0, true),
    text("\"", "\"", 0, true),
    text("`", "`", 0, false),
];
const LUA: &[Rule] = &[
    Rule::Fence(LUA_COMMENT),
    line("--"),
    Rule::Fence(LUA_FENCE),
    DOUBLE,
    SINGLE,
];
const TERRAFORM: &[Rule] = &[
    line("#"),
    SLASHES,
    STARS,
    Rule::Heredoc("<<", false),
    text_with("\"", b'\\', false, "${"),
];
const POWERSHELL: &[Rule] = &[
    block("<#", "#>"),
    word("#", b";(){}|,"),
    text("@\"", "\n\"@", 0, true),
    text("@'", "\n'@", 0, true),
    text("\"", "\"", b'`', true),
    text("'", "'", 0, true),
];
const SHELL: &[Rule] = &[
    word("#", b";&|()<>`"),
    Rule::Heredoc("<<", true),
    text("$'", "'", b'\\', true),
    text("'", "'", 0, true),
    text("\"", "\"", b'\\', true),
];
const BUILD: &[Rule] = &[
    word("#", b";&|()"),
    Rule::Heredoc("<<", false),
    DOUBLE,
    WORD_QUOTE,
];
const RUBY: &[Rule] = &[
    Rule::Block("=begin", "\n=end", Place::Line, false),
    Rule::Heredoc("<<", false),
    text_with("\"", b'\\', false, "#{"),
    SINGLE,
    text("`", "`", b'\\', false),
    Rule::Regex,
    line("#"),
];
const PERL: &[Rule] = &[
    Rule::Block("=pod", "\n=cut", Place::Line, false),
    Rule::Block("=head", "\n=cut", Place::Line, false),
    Rule::Block("=over", "\n=cut", Place::Line, false),
    Rule::Block("=begin", "\n=cut", Place::Line, false),
    word("#", b";{}(),"),
    Rule::Heredoc("<<", false),
    DOUBLE,
    SINGLE,
    Rule::Regex,
];
const HASH_AND_QUOTES: &[Rule] = &[line("#"), TRIPLE, DOUBLE, SINGLE];
const YAML_VALUE: Place = Place::Value(b":-,[{?");
const YAML: &[Rule] = &[
    word("#", b""),
    text_at("\"", b'\\', YAML_VALUE),
    text_at("'", b'\'', YAML_VALUE),
];
const TOML: &[Rule] = &[
    line("#"),
    TRIPLE,
    text("'''", "'''", 0, true),
    DOUBLE,
    text("'", "'", 0, false),
];
const CONF: &[Rule] = &[word("#", b";{}"), DOUBLE, WORD_QUOTE];
const INI_VALUE: Place = Place::Value(b"=:");
const INI: &[Rule] = &[
    word("#", b""),
    word(";", b""),
    text_at("\"", b'\\', INI_VALUE),
    text_at("'", b'\\', INI_VALUE),
];
const LINES: &[Rule] = &[Rule::Line("#", Place::Line, "\n")];
const PROPERTIES: &[Rule] = &[
    Rule::Line("#", Place::Line, "\n"),
    Rule::Line("!", Place::Line, "\n"),
];
