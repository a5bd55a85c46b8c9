//! What is wrong with an expectation before anything is sent.

use super::*;

#[test]
fn everything_wrong_is_found() {
    let mut told_all = String::new();
    for text in [
        "stauts: 200",
        "body.data: 1",
        "events[0].event: RunStarted",
        "headers: 1",
        "data: 1",
        "$.a b: 1",
        "$.a[: 1",
        "content: { contians: a }",
        "content: { name: Alice }",
        "content: { regex: a }",
        "content: {}",
        "$.x:",
        "$.x: { matches: '(' }",
        "$.x: { matches: '(?=a)' }",
        "$.x: { between: [3, 1] }",
        "$.x: { between: 3 }",
        "$.x: { one_of: a }",
        "$.x: { one_of: [] }",
        "$.x: { type: text }",
        "$.x: { like: { session: { type: agent } } }",
        "$.x: { format: url }",
        "$.x: { length: three }",
        "$.x: { exists: 'yes' }",
        "$.x: { unique: false }",
        "$.x: { sorted: up }",
        "$.x: { sorted: { by: a, order: up } }",
        "$.x: { close_to: 3 }",
        "$.x: { close_to: { value: 3, within: -1 } }",
        "$.x: { similar: { to: a, at_least: 80 } }",
        "$.x: { schema: { type: strin } }",
        "$.x: { schema: no-such.json }",
        "$.x: { schema: { properties: { a: { minimum: x } } } }",
        "$.x: { like: {} }",
        "$.x: { like: 5 }",
        "$.x: { contains: [] }",
        "$.x: { contains: '' }",
        "$.x: { any_of: [] }",
        "$.x: { each: {} }",
        "$.x: [{ gt: 1 }]",
        "$.x: ${{ user",
        "$.x: ${{ }}",
        "\"${{ user }}x\": 1",
        "status: '200'",
        "status: 2xx",
        "status: { gte: many }",
        "duration: 5s",
        "duration: { lt: 5 }",
        "duration: { lt: 5sec }",
        "duration: { contains: 5s }",
        "ttft: { between: [5s, 1s] }",
        "tokens.totl: 5",
        "content: { called: x }",
        "tools: { called: {} }",
        "tools: { called: { a: 2 } }",
        "events: { sequence: RunStarted }",
        "tools: { sequence: [] }",
        "content: { judge: { agent_id: a } }",
        "[]",
        "{}",
        "null",
        "5",
        "stauts: { contians: a, matches: '(' }",
    ] {
        let (_, problems) = try_parse(text);
        assert!(!problems.is_empty(), "{text}");
        assert!(problems.iter().all(|problem| problem.span().is_some()), "{text}");
        told_all.push_str(&told(&problems));
    }
    assert_snapshot!(told_all, @r#"
    there is no target `stauts` [stauts] | did you mean `status`?
    there is no target `body.data` [body.data] | a part of the body is `$.data`
    there is no target `events[0].event` [events[0].event] | a part of it is `$.events[0].event`
    there is no target `headers` [headers] | one header is `headers.content-type`
    there is no target `data` [data] | the whole body is `body` or `$`, a key of it `$.data`
    `$.a b` is no JSONPath: the name `a b` holds a blank: write ['a b'] [a]
    `$.a[` is no JSONPath: the JSONPath ends too early [$.a[]
    there is no predicate `contians` [contians] | did you mean `contains`? (a mapping here holds predicates; a literal mapping is written `{ eq: { ... } }`, a partial one `{ like: { ... } }`)
    there is no predicate `name` [name] | a mapping here holds predicates; a literal mapping is written `{ eq: { ... } }`, a partial one `{ like: { ... } }`
    there is no predicate `regex` [regex] | did you mean `matches`? (a mapping here holds predicates; a literal mapping is written `{ eq: { ... } }`, a partial one `{ like: { ... } }`)
    an empty mapping expects nothing [{] | an empty object is expected by `{ eq: {} }`, any empty value by `{ empty: true }`
    nothing is expected of `$.x` [$.x] | write `null` to expect that; `{ exists: true }` expects that it is there
    `(` is no regular expression: unclosed group ['(']
    `(?=a)` is no regular expression: look-around, including look-ahead and look-behind, is not supported ['(?=a)'] | look-ahead and look-behind are not supported; combine predicates, e.g. `not_contains`
    nothing is between 3 and 1: the first is the greater [[3, 1] | write [1, 3]
    expected a list of two, the least and the most, found a number (3) [3] | write between: [1, 10]
    expected a list, found a text ("a") [a] | write ["a"]
    the list is empty: nothing can be one of it [[]
    `text` is no type [text] | did you mean `string`?
    `agent` is no type [agent] | the types are string, number, integer, boolean, null, array, object; where `type` is a key of the data, write `{ like: { type: ... } }`
    `url` is no format [url] | did you mean `uri`?
    expected a number, found a text ("three") [three]
    expected true or false, found a text ("yes") ['yes']
    `unique` takes `true`, or the key by which members differ [false] | write `unique: true` or `unique: { by: id }`; the opposite is `not: { unique: true }`
    `sorted` takes `true`, `asc`, `desc`, or a key and an order [up] | write `sorted: desc` or `sorted: { by: created_at, order: desc }`
    `sorted` takes `true`, `asc`, `desc`, or a key and an order [up] | write `sorted: desc` or `sorted: { by: created_at, order: desc }`
    `close_to` takes a mapping with value and within [3] | write `close_to: { value: 3.14, within: 0.01 }`
    expected a number that is not negative, found a number (-1) [-1]
    expected a number from 0 to 1, found a number (80) [80] | 80 percent is written 0.8
    this is no JSON Schema: at `type`: fits none of the alternatives: value must be one of 'array', 'boolean', 'integer', 'null', 'number', 'object', 'string'; want array, but got string [strin]
    the schema `no-such.json` cannot be read: No such file or directory (os error 2) [no-such.json] | looked for no-such.json
    this is no JSON Schema: at `properties.a.minimum`: want number, but got string [x]
    an empty structure is like every object [{] | `{ type: object }` expects an object, `{ eq: {} }` an empty one
    `like` takes a mapping or a list, not a number [5] | equality is `eq`
    the list is empty: everything contains all of nothing [[]
    the text is empty: every text contains it ['']
    `any_of` takes a list of expectations [[] | write `any_of: [{ contains: a }, { contains: b }]`
    an empty mapping expects nothing [{] | an empty object is expected by `{ eq: {} }`, any empty value by `{ empty: true }`
    this list is compared as it stands: the mapping in it is no mapping of predicates [{ gt: 1] | predicates on the members: `{ like: [...] }` one by one, `{ each: {...} }` or `{ any: {...} }` on all
    `${{` is never closed by `}}` [${{] | a literal `${{` is written `$${{`
    there is no expression between `${{` and `}}` []
    a target is one whole expression, with no text around it ["${{ user }}x"]
    expected a number, found a text ("200") ['200'] | without quotes it is one: 200
    expected a number, found a text ("2xx") [2xx] | write { between: [200, 299] }
    expected a number, found a text ("many") [many] | `status` is that of HTTP: `status: 200`; a `status` in the answer, as a run has it: `$.status: many`
    no answer takes exactly a given time [5s] | write `{ lt: 5s }`
    a duration needs a unit, `5` has none [5] | write `5s` for seconds or `5ms` for milliseconds
    `sec` is no unit of time: ms, s, m, h and d are [5sec]
    `contains` cannot be asked of this target [contains] | a duration is compared: gt, gte, lt, lte, between or close_to, e.g. `{ lt: 5s }`
    nothing is between "5s" and "1s": the first is the greater [[5s, 1s] | write ["1s", "5s"]
    AgentOS counts no `totl` tokens, as far as is known [tokens.totl] | did you mean `total`?
    `called` cannot be asked of this target [called] | it is for `tools` and `events`
    no tool is named here [{] | write `called: get_weather` or `called: { get_weather: { city: Paris } }`; no tool at all is `empty: true`
    the arguments of a call are a mapping [2] | write `{ a: { city: Paris } }`; how often is `count`
    expected a list of names, found a text [RunStarted] | write `sequence: [RunStarted, "...", RunContent+, "...", RunCompleted]`
    the sequence is empty [[] | that nothing is there is `empty: true`
    `judge` is not supported yet by this version [judge]
    nothing is expected here [[] | write `expect: { status: 200, content: { contains: Alice } }`
    nothing is expected here [{] | write `expect: { status: 200, content: { contains: Alice } }`
    nothing is expected here [null] | write `expect: { status: 200, content: { contains: Alice } }`
    expectations are a mapping from targets to what must hold, not a number [5] | write `expect: { status: 200, content: { contains: Alice } }`
    there is no target `stauts` [stauts] | did you mean `status`?
    there is no predicate `contians` [contians] | did you mean `contains`? (a mapping here holds predicates; a literal mapping is written `{ eq: { ... } }`, a partial one `{ like: { ... } }`)
    `(` is no regular expression: unclosed group ['(']
    "#);
}

#[test]
fn a_warning_is_no_error() {
    let (_, problems) = try_parse("tokens.totl: 5");
    assert!(problems.iter().all(|problem| problem.severity == Severity::Warning));
}

#[test]
fn assertions_take_expressions_only() {
    let assertions = |text: &str| {
        let mut problems = Problems::new();
        let expectations = Expectations::parse_assertions(&node(text), &mut problems);
        (expectations, problems)
    };
    for (text, passes) in [
        ("${{ n > 2 }}", true),
        ("${{ n > 3 }}", false),
        ("[\"${{ n > 2 }}\", { \"${{ user }}\": { starts_with: al } }]", true),
        ("{ \"${{ items | length }}\": 2, \"${{ items }}\": [1, 3] }", false),
    ] {
        let (expectations, problems) = assertions(text);
        assert!(problems.is_empty(), "{}", told(&problems));
        let verdicts = expectations.evaluate(None, &scope());
        assert_eq!(verdicts.iter().all(|verdict| verdict.passed), passes, "{text}: {verdicts:?}");
    }
    let (_, problems) = assertions("status: 200");
    assert_snapshot!(told(&problems), @"`assert` gets no answer: `status` is nothing here [status] | an earlier step's answer is `${{ steps.ID.body }}`, `.status`, `.content`, ...");
    let verdicts = assertions("${{ n > 3 }}").0.evaluate(None, &scope());
    assert_snapshot!(verdicts[0].message, @"`${{ n > 3 }}` is false, expected true");
}
