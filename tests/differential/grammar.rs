//! What templates may say: a row for each function, with the types of its arguments and of its result.
//!
//! | letter | type | letter | type |
//! | --- | --- | --- | --- |
//! | `s` | string | `v` | version |
//! | `i` | integer | `c` | version constraint |
//! | `f` | any number | `r` | regular expression |
//! | `w` | a Go `int`, small | | |
//! | `n` | small count | `x` | replacement text |
//! | `b` | boolean | `p` | path |
//! | `l` | list | `u` `U` | URL, parts of a URL |
//! | `S` | list of strings | `t` `L` `z` | time, layout, zone |
//! | `m` | map | `d` | duration |
//! | `q` | time, not a number | | |
//! | `k` | key | `j` `y` `T` | JSON, YAML, TOML text |
//! | `a` | anything | `B` `3` | base64, base32 text |
//! | `F` | printf format | `O` | random or opaque: only its kind is looked at |
//! | `e` | name of a template | `+` | the argument before may come several times |

use crate::support;

/// A function and its types.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) arguments: &'static str,
    pub(crate) result: char,
    /// Slow ones are drawn seldom.
    pub(crate) seldom: bool,
}

/// Every kind of action that a case may hold.
pub(crate) const ACTIONS: &[&str] = &[
    "text",
    "comment",
    "emit",
    "emit trimmed left",
    "emit trimmed right",
    "emit trimmed",
    "declare",
    "assign",
    "if",
    "if else",
    "else if",
    "with",
    "with else",
    "else with",
    "range",
    "range else",
    "range value",
    "range key value",
    "range count",
    "break",
    "continue",
    "template",
    "include",
    "block",
    "tpl",
    "chain",
    "parenthesised field",
    "values",
];

const TABLE: &str = "
abbrev n s > s|abbrevboth n n s > s|trunc w s > s|trim s > s|upper s > s|lower s > s|title s > s|untitle s > s|substr w w s > s|repeat n s > s
trimall s s > s|trimAll s s > s|trimSuffix s s > s|trimPrefix s s > s|nospace s > s|initials s > s|swapcase s > s|snakecase s > s|camelcase s > s
kebabcase s > s|wrap n s > s|wrapWith n s s > s|contains s s > b|hasPrefix s s > b|hasSuffix s s > b|quote a+ > s|squote a+ > s|cat a+ > s
indent n s > s|nindent n s > s|replace s s s > s|plural s s w > s|toString a > s|hello > s|shuffle s > O|b64enc s > s|b64dec B > s|b32enc s > s
b32dec 3 > s|sha1sum s > s|sha256sum s > s|sha512sum s > s|adler32sum s > s|atoi s > i|int a > i|int64 a > i|float64 a > f|toDecimal a > i
seq w+ > s|until n > l|untilStep w w w > l|add f+ > i|add1 f > i|sub f f > i|div f f > i|mod f f > i|mul f+ > i|add1f f > f|addf f+ > f|subf f f > f
divf f f > f|mulf f+ > f|biggest i+ > i|max i+ > i|min i+ > i|maxf f+ > f|minf f+ > f|ceil f > f|floor f > f|round f n > f|split s s > m
splitList s s > S|splitn s n s > m|toStrings a > S|join s l > s|sortAlpha l > S|list a+ > l|tuple a+ > l|append l a > l|push l a > l|prepend l a > l
first l > a|rest l > l|last l > a|initial l > l|reverse l > l|uniq l > l|without l a+ > l|has a l > b|slice l n > l|concat l+ > l|chunk n l > l
mustAppend l a > l|mustPush l a > l|mustPrepend l a > l|mustFirst l > a|mustRest l > l|mustLast l > a|mustInitial l > l|mustReverse l > l
mustUniq l > l|mustWithout l a+ > l|mustHas a l > b|mustSlice l n > l|mustChunk n l > l|mustCompact l > l|compact l > l|dict k a > m|get m k > a
set m k a > m|unset m k > m|hasKey m k > b|pluck k m+ > l|keys m > O|pick m k+ > m|omit m k+ > m|merge m m+ > m|mergeOverwrite m m+ > m
mustMerge m m+ > m|mustMergeOverwrite m m+ > m|values m > O|dig k a m > a|deepCopy a > a|mustDeepCopy a > a|default a a > a|empty a > b|coalesce a+ > a
all a+ > b|any a+ > b|ternary a a b > a|fromJson j > m|toJson a > s|toPrettyJson a > s|toRawJson a > s|mustFromJson j > m|mustToJson a > s
mustToPrettyJson a > s|mustToRawJson a > s|fromJsonArray j > l|toYaml a > s|mustToYaml a > s|toYamlPretty a > s|fromYaml y > m|fromYamlArray y > l
toToml m > s|mustToToml m > s|fromToml T > m|typeOf a > s|typeIs s a > b|typeIsLike s a > b|kindOf a > s|kindIs s a > b|deepEqual a a > b|base p > s|dir p > s
clean p > s|ext p > s|isAbs p > b|osBase p > s|osClean p > s|osDir p > s|osExt p > s|osIsAbs p > b|semver v > O|semverCompare c v > b
regexMatch r s > b|regexFindAll r s w > S|regexFind r s > s|regexReplaceAll r s x > s|regexReplaceAllLiteral r s x > s|regexSplit r s w > S
mustRegexMatch r s > b|mustRegexFindAll r s w > S|mustRegexFind r s > s|mustRegexReplaceAll r s x > s|mustRegexReplaceAllLiteral r s x > s
mustRegexSplit r s w > S|regexQuoteMeta s > s|urlParse u > m|urlJoin U > s|getHostByName s > s|now > O|ago q > O|date L t > s|dateInZone L t z > s
date_in_zone L t z > s|dateModify d q > q|date_modify d q > q|mustDateModify d q > q|must_date_modify d q > q|duration a > s|durationRound a > s
htmlDate t > s|htmlDateInZone t z > s|unixEpoch t > s|toDate L s > q|randAlphaNum n > O|randAlpha n > O|randAscii n > O
randNumeric n > O|randInt 1 n > O|randBytes n > O|uuidv4 > O|derivePassword n s s s s > s|and a a+ > a|or a a+ > a|not a > b|len l > i|index m k > a
print a+ > s|printf F a+ > s|println a+ > s|html a > s|js a > s|urlquery a > s|eq s s > b|ne s s > b|lt i i > b|le i i > b|gt i i > b|ge i i > b
required s a > a|include e a > s|tpl s a > s|lookup s s s s > m|mustToDuration d > O
durationSeconds d > f|durationMinutes d > f|durationHours d > f|durationMilliseconds d > i|durationMicroseconds d > i|durationNanoseconds d > i
durationDays d > f|durationWeeks d > f|durationRoundTo d d > O|durationTruncateTo d d > O
";

/// Rows that take long in either tool, or whose text is random: drawn seldom.
const SELDOM: &str = "
call a > a|bcrypt s > O|htpasswd s s > O|genPrivateKey ecdsa > O|genCA s n > O|genSelfSignedCert s nil nil n > O|encryptAES s s > O|decryptAES s s > O|fail s > s
genCAWithKey s n key > O|genSelfSignedCertWithKey s nil nil n key > O|genSignedCert s nil nil n ca > O|genSignedCertWithKey s nil nil n ca key > O
buildCustomCert B B > O|mustToDate L s > q|derivePassword n s s s s > s
";

/// Every row.
pub(crate) fn functions() -> Vec<Row> {
    let rows = |table: &'static str, seldom| {
        table.split(['|', '\n']).map(str::trim).filter(|row| !row.is_empty()).map(move |row| {
            let (call, result) = row.rsplit_once(" > ").expect("a row has a result");
            let (name, arguments) = call.split_once(' ').unwrap_or((call, ""));
            Row { name, arguments, result: result.chars().next().expect("one letter"), seldom }
        })
    };
    rows(TABLE, false).chain(rows(SELDOM, true)).collect()
}

/// Functions that templates may call but no row here calls, by the names that the code's own tables declare.
pub(crate) fn uncovered(functions: &[Row]) -> Vec<String> {
    let mut names: Vec<String> = ["src/funcs", "src/gotmpl"].into_iter().flat_map(declared).collect();
    assert!(names.len() >= functions.len(), "the tables were not found: {} names", names.len());
    names.retain(|name| !functions.iter().any(|row| row.name == name));
    names.sort();
    names.dedup();
    names
}

/// The names in `FuncSpec::fixed("…"` and `FuncSpec::variadic("…"` of a folder's files.
fn declared(folder: &str) -> Vec<String> {
    let files = std::fs::read_dir(support::root().join(folder)).expect("the sources are there").filter_map(Result::ok);
    let texts = files.filter_map(|file| std::fs::read_to_string(file.path()).ok());
    let rows = texts.flat_map(|text| {
        let starts = ["FuncSpec::fixed(\"", "FuncSpec::variadic(\""];
        let names = starts.into_iter().flat_map(|start| {
            text.split(start)
                .skip(1)
                .map(|rest| rest.split('"').next().unwrap_or_default().to_owned())
                .collect::<Vec<_>>()
        });
        names.collect::<Vec<_>>()
    });
    rows.collect()
}
