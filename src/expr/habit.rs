//! What people who come from other languages mean by an expression that is none here.

use super::{unquoted, words};

/// What to write in place of what could not be read; none where nothing is known of it.
pub(super) fn syntax(text: &str) -> Option<String> {
    let plain: String = unquoted(text).map(|(_, c)| c).collect();
    let operator = [
        ("&&", "`and` joins conditions: `a and b`"),
        ("||", "`or` joins conditions: `a or b`"),
        ("===", "what is equal is compared by `==`"),
        ("!==", "what is not equal is compared by `!=`"),
        ("=~", "a pattern is a test: `text is matches(\"^a\")`"),
        ("!~", "a pattern is a test: `text is not matches(\"^a\")`"),
        (
            "=>",
            "functions of your own are not there; lists are picked from by `selectattr(\"key\", \"eq\", value)`",
        ),
        ("?", "one of two is `x if condition else y`"),
    ];
    if let Some((_, help)) = operator.iter().find(|(operator, _)| plain.contains(operator)) {
        return Some((*help).to_owned());
    }
    if plain.replace("!=", "").contains('!') {
        return Some("what does not hold is `not`: `not a`".to_owned());
    }
    for (range, word) in words(text) {
        let after = text[range.end..].trim_start();
        let help = match word {
            "matches" | "contains" | "like" | "startswith" | "endswith" | "startsWith" | "endsWith"
                if !after.starts_with('(') =>
            {
                function(word)?
            }
            "IN" | "AND" | "OR" | "NOT" => format!("operators are written small: `{}`", word.to_lowercase()),
            "BETWEEN" | "between" => "two conditions: `a >= 1 and a <= 9`".to_owned(),
            _ if word.starts_with(|c: char| c.is_ascii_digit()) && crate::duration::parse(word).is_ok() => {
                age(word)
            }
            _ => continue,
        };
        return Some(help);
    }
    let lone = plain.replace("==", "").replace("!=", "").replace("<=", "").replace(">=", "");
    // `f(a=1)` gives an argument its name.
    (lone.contains('=') && !lone.contains('(')).then(|| "what is equal is compared by `==`".to_owned())
}

/// What has the meaning of a function that is not there.
pub(crate) fn function(name: &str) -> Option<String> {
    let folded = name.to_lowercase().replace('_', "");
    Some(
        match folded.as_str() {
            "contains" | "includes" | "has" | "indexof" => "a part is found by `in`: `\"part\" in text`",
            "startswith" => "the beginning is a test: `text is startingwith(\"a\")`",
            "endswith" => "the end is a test: `text is endingwith(\"z\")`",
            "matches" | "match" | "regex" | "regexmatch" | "test" | "like" => {
                "a pattern is a test: `text is matches(\"^a\")`"
            }
            "len" | "length" | "size" | "count" => "the length is a filter: `list | length`",
            "lower" | "tolowercase" | "lowercase" => "it is a filter: `text | lower`",
            "upper" | "touppercase" | "uppercase" => "it is a filter: `text | upper`",
            "trim" | "strip" => "it is a filter: `text | trim`",
            "split" => "it is a filter: `text | split(\",\")`",
            "join" => "it is a filter: `list | join(\", \")`",
            "replace" => "it is a filter: `text | replace(\"a\", \"b\")`",
            "str" | "string" | "tostring" => "it is a filter: `value | string`",
            "int" | "parseint" | "number" => "it is a filter: `text | int`",
            "float" | "parsefloat" => "it is a filter: `text | float`",
            "fromjson" | "jsonparse" | "loads" => "it is a filter: `text | fromjson`",
            "tojson" | "dumps" | "stringify" => "it is a filter: `value | tojson`",
            "format" => "texts hold values: `a ${{ value }} b`; or `a ~ b`",
            "filter" => "lists are picked from by `list | selectattr(\"key\", \"eq\", value) | list`",
            "always" | "failure" | "cancelled" => "steps that run whatever happened stand under `finally:`",
            "success" => {
                "a step runs where all before it succeeded; steps that run in any case stand under `finally:`"
            }
            "isempty" | "empty" => "what is empty is false: `not list`; or `list | length == 0`",
            "undefined" | "isdefined" | "defined" | "exists" => {
                "what may be missing is asked for by `a.b is defined`"
            }
            "date" | "datetime" | "today" | "timestamp" | "time" | "isodate" => {
                "the time is `now()`, an earlier one `ago(\"30d\")`; the day is `now() | date(\"%Y-%m-%d\")`"
            }
            "random" | "rand" | "randint" => "a number by chance is `random_int(1, 6)`",
            "guid" | "uuid4" | "newguid" => "an id is `uuid()`",
            _ => return None,
        }
        .to_owned(),
    )
}

/// What could be meant where values have no order, or an operator knows nothing of them.
pub(super) fn operand(text: &str) -> Option<String> {
    if text.contains(".length") || text.contains(".size") {
        return function("length");
    }
    text.contains("now()").then(|| age("30d"))
}

/// An age, compared with a duration.
fn age(duration: &str) -> String {
    format!(
        "a duration is a text: an age is compared by `item.updated_at | age > \"{duration}\"`, the time so long ago is `ago(\"{duration}\")`"
    )
}
