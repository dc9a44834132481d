//! Comments by language: what goes and what stays.
#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

/// Name, text, and the text that is left; runs of blanks count as one.
const CASES: &[(&str, &str, &str)] = &[
    ("a.py", "# init(\nx = '# no' # init(", " \nx = '# no' "),
    (
        "a.py",
        "\"\"\"init(\n# a\"\"\"\nx = \"\"\"keep # it\"\"\"",
        " \n \nx = \"\"\"keep # it\"\"\"",
    ),
    (
        "a.py",
        "def f():\n  r'''doc'''  # why\n  return '''a'''",
        "def f():\n \n return '''a'''",
    ),
    (
        "a.py",
        "f(\n'''a'''\n)\nx = \\\n'''b'''\n'''c'''.up()",
        "f(\n'''a'''\n)\nx = \\\n'''b'''\n'''c'''.up()",
    ),
    (
        "a.py",
        "x = 1; '''gone'''; y = 'it\\'s # in'",
        "x = 1; ; y = 'it\\'s # in'",
    ),
    ("a.py", "x = 'open\ny = 1 # gone", "x = 'open\ny = 1 "),
    (
        "a.js",
        "// init(\nlet u = \"http://a\"; /* init(\n*/ b()",
        " \nlet u = \"http://a\"; \n b()",
    ),
    (
        "a.js",
        "x = `a ${b /* c */ + `//${d}`} // in`; // out",
        "x = `a ${b + `//${d}`} // in`; ",
    ),
    (
        "a.js",
        "x = /['\"]\\/[/*]/.test(y) // out",
        "x = /['\"]\\/[/*]/.test(y) ",
    ),
    (
        "a.js",
        "x = a / b // o\ny = i++ / 2 /* o */; return /'/ // o",
        "x = a / b \ny = i++ / 2 ; return /'/ ",
    ),
    (
        "a.tsx",
        "<p>don't</p>\n{/* <S /> */}\n<a href=\"//x\" /> // o",
        "<p>don't</p>\n{ }\n<a href=\"//x\" /> ",
    ),
    (
        "a.mjs",
        "#!/usr/bin/env node\n// gone\nf()",
        "#!/usr/bin/env node\n \nf()",
    ),
    (
        "a.json",
        "{\"a\": \"//in\" // out\n}",
        "{\"a\": \"//in\" \n}",
    ),
    (
        "a.rs",
        "a /* b /* c */ d */ e // f\n'\"' 'x' &'a // g",
        "a e \n'\"' 'x' &'a ",
    ),
    (
        "a.rs",
        "r#\"// \"in\" \"# // o\n\"\\\"//\" // o\n\"1\n// in\"",
        "r#\"// \"in\" \"# \n\"\\\"//\" \n\"1\n// in\"",
    ),
    (
        "a.rs",
        "#![deny(x)] // o\n'\\u{1F600}' '\\'' // o",
        "#![deny(x)] \n'\\u{1F600}' '\\'' ",
    ),
    (
        "a.go",
        "`// in\n\\` // out\n'\\'' '\"' // out",
        "`// in\n\\` \n'\\'' '\"' ",
    ),
    (
        "a.cpp",
        "1'000'000 // o\nR\"x(// )\" in)x\" /* o */ '\"' // o",
        "1'000'000 \nR\"x(// )\" in)x\" '\"' ",
    ),
    (
        "A.java",
        "\"\"\"\n// in \" \"\"\" // o\n\"\\\"//\" // o",
        "\"\"\"\n// in \" \"\"\" \n\"\\\"//\" ",
    ),
    (
        "a.kt",
        "\"${f(\"//\")}//\" /* a /* b */ c */ d",
        "\"${f(\"//\")}//\" d",
    ),
    (
        "a.swift",
        "#\"// \"in\"# // o\n\"\\(f(\"//\"))//\" // o",
        "#\"// \"in\"# \n\"\\(f(\"//\"))//\" ",
    ),
    (
        "a.cs",
        "@\"C:\\\" // o\n$@\"a\"\"//\" // o\n\"\\\"//\" // o",
        "@\"C:\\\" \n$@\"a\"\"//\" \n\"\\\"//\" ",
    ),
    (
        "a.php",
        "<p>don't // in</p><?php // o ?>\n# in\n<?php # o",
        "<p>don't // in</p><?php ?>\n# in\n<?php ",
    ),
    (
        "a.php",
        "<?php #[A] f('#'); /* o */\n\"?> // in\" // o",
        "<?php #[A] f('#'); \n\"?> // in\" ",
    ),
    (
        "a.php",
        "<?php $x = <<<EOT\nit's // in\nEOT; // out",
        "<?php $x = <<<EOT\nit's // in\nEOT; ",
    ),
    (
        "a.css",
        "a { b: url(//x) } /* o */ c { d: '/*' }",
        "a { b: url(//x) } c { d: '/*' }",
    ),
    ("a.scss", "a { b: url(//x); } // o", "a { b: url(//x); } "),
    (
        "a.sh",
        "#!/bin/sh\n# o\na=$# b=${#c} d#e; # o",
        "#!/bin/sh\n \na=$# b=${#c} d#e; ",
    ),
    (
        "a.sh",
        "echo \"# in\" '# in\n# in' $'it\\'s # in' # o",
        "echo \"# in\" '# in\n# in' $'it\\'s # in' ",
    ),
    (
        "a.sh",
        "cat <<'EOF' # o\ndon't # in\n # o\nEOF\nx # o",
        "cat <<'EOF' \ndon't # in\n \nEOF\nx ",
    ),
    (
        "a.sh",
        "x=$((1 << n)) # o\n# o\ncat <<< word # o\n# o",
        "x=$((1 << n)) \n \ncat <<< word \n ",
    ),
    (
        "hook",
        "#!/usr/bin/env bash\nx # o",
        "#!/usr/bin/env bash\nx ",
    ),
    (
        "serve",
        "#!/usr/bin/python3.12\nx # o",
        "#!/usr/bin/python3.12\nx ",
    ),
    (
        "a.yml",
        "a: b#c # o\nd: \"# in\" # o\ne: don't # o",
        "a: b#c \nd: \"# in\" \ne: don't ",
    ),
    (
        "a.yml",
        "f: ['# in', x] # o\n- 'it''s # in' # o\n# o",
        "f: ['# in', x] \n- 'it''s # in' \n ",
    ),
    (
        "a.yaml",
        "run: |\n  # init(\n  echo x # o",
        "run: |\n \n echo x ",
    ),
    (
        "a.toml",
        "a = \"# in\" # o\nb = '''\n# in''' # o\nc = 'C:\\' # o",
        "a = \"# in\" \nb = '''\n# in''' \nc = 'C:\\' ",
    ),
    (
        "a.ini",
        "; o\na = b ; o\nc = \"; in\" # o\nd = e;f",
        " \na = b \nc = \"; in\" \nd = e;f",
    ),
    (
        ".env.local",
        "# o\nA=b#c # o\nB='# in' # o\nC=don't # o",
        " \nA=b#c \nB='# in' \nC=don't ",
    ),
    (
        "Dockerfile",
        "# o\nRUN a \\\n  # o\n  && b '# in' # o",
        " \nRUN a \\\n \n && b '# in' ",
    ),
    (
        "nginx.conf",
        "a b#c; # o\n# o\nd { e '# in'; }# o",
        "a b#c; \n \nd { e '# in'; } ",
    ),
    (
        "Makefile",
        "a: b # o\n\techo \"# in\" \\# in",
        "a: b \n echo \"# in\" \\# in",
    ),
    ("requirements-dev.txt", "a==1 # o\n# sentry-sdk", "a==1 \n "),
    (
        "a.rb",
        "=begin\ninit(\n=end\nx = \"#{y[\"a\"]} # in\" # o",
        " \n \n \nx = \"#{y[\"a\"]} # in\" ",
    ),
    (
        "a.rb",
        "z =~ /#'/ # o\nputs 'a' # o",
        "z =~ /#'/ \nputs 'a' ",
    ),
    (
        "a.rb",
        "a = <<~SQL # o\n  it's # in\nSQL\nb << c # o",
        "a = <<~SQL \n it's # in\nSQL\nb << c ",
    ),
    (
        "a.pl",
        "$#a; # o\n=head1 init\n\nx\n=cut\ns#a#b#; # o",
        "$#a; \n \n\n \n \ns#a#b#; ",
    ),
    (
        "a.sql",
        "a -- o\n'-- in' /* o */ 'it''s -- in' -- o",
        "a \n'-- in' 'it''s -- in' ",
    ),
    (
        "a.lua",
        "--[==[ o\n]] ]==] a -- o\n[[-- in]] \"-- in\" -- o",
        " \n a \n[[-- in]] \"-- in\" ",
    ),
    (
        "a.html",
        "<!-- <script>f(</script> -->\n<SCRIPT>f('//in') // o\n</script> // in",
        " \n<SCRIPT>f('//in') \n</script> // in",
    ),
    (
        "a.vue",
        "<script src=\"a\" /><p>// in</p><style>/* o */</style>",
        "<script src=\"a\" /><p>// in</p><style> </style>",
    ),
    (
        "a.xml",
        "<a><!-- o\n--><![CDATA[<!-- in -->]]></a>",
        "<a> \n <![CDATA[<!-- in -->]]></a>",
    ),
    (
        "README.md",
        "# in\n`<!-- in` <!-- o -->\n```\n<!-- in -->\n```",
        "# in\n`<!-- in` \n```\n<!-- in -->\n```",
    ),
    (
        "a.ps1",
        "<# o\n#> a \"`\"# in\" # o\n@'\n# it's in\n'@ # o",
        " \n a \"`\"# in\" \n@'\n# it's in\n'@ ",
    ),
    (
        "a.tf",
        "a = \"# ${b(\"//\")} in\" # o\nc // o\n/* o */",
        "a = \"# ${b(\"//\")} in\" \nc \n ",
    ),
    ("a.properties", "# o\n! o\na=b # in", " \n \na=b # in"),
    (
        "a.py",
        "\u{feff}# o\r\nx = 1 # ö\r\n",
        "\u{feff} \r\nx = 1 \r\n",
    ),
    ("a.txt", "# in // in <!-- in -->", "# in // in <!-- in -->"),
    ("LICENSE", "# in", "# in"),
];

#[test]
fn comments_go_and_code_stays() {
    let blanks = regex::Regex::new("[ \t]+").unwrap();
    for (name, text, wanted) in CASES {
        let left = without_comments(name, text.as_bytes());
        let left = String::from_utf8_lossy(&left);
        assert_eq!(
            blanks.replace_all(&left, " "),
            blanks.replace_all(wanted, " "),
            "{name}: {text}"
        );
    }
}

#[test]
fn hostile_texts_take_linear_time() {
    for piece in [
        "=/[", "<<a\n", "#", "r#", "`${", "/*", "\"", "'", "[=", "<script", "--[", "x ", "'\\",
        "1'", "<script>", "\n",
    ] {
        let text = piece.repeat(100_000 / piece.len());
        for language in LANGUAGES {
            let begun = Instant::now();
            let extension = language.0.split(' ').next().unwrap();
            without_comments(&format!("a.{extension}"), text.as_bytes());
            assert!(
                begun.elapsed() < Duration::from_secs(3),
                "{extension}: {piece} took {:?}",
                begun.elapsed()
            );
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_keep_their_length_and_lines(
        language in 0..LANGUAGES.len(),
        text in proptest::collection::vec(prop_oneof![
            4 => proptest::sample::select(b"\"'`#/*<>!-?[](){}$\\=;:\r\n @Rr|EOFscript".to_vec()),
            1 => any::<u8>(),
        ], 0..200),
    ) {
        let extension = LANGUAGES[language].0.split(' ').next().unwrap();
        let left = without_comments(&format!("a.{extension}"), &text);
        prop_assert_eq!(left.len(), text.len());
        for (&left, &byte) in left.iter().zip(&text) {
            prop_assert!(left == byte || (left == b' ' && !matches!(byte, b'\n' | b'\r')));
        }
    }
}
