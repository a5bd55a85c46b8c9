//! Fragments: what goes in and comes out, what each sees, how a failure inside one is told, and what `check` finds.

use crate::common::{Answer, FakeServer, Output, Run, text::dedent};
use serde_json::json;

/// Files of a test: the scenario is `s/a.yaml`, fragments stand in `s/_lib`.
fn files(files: &[(&str, &str)]) -> Run {
    files.iter().fold(Run::new(), |run, (name, text)| run.file(&format!("s/{name}"), dedent(text)))
}

/// Runs against a server that answers what it is asked for: the path as `$.path`.
fn run(run: Run) -> (FakeServer, Output) {
    let server =
        FakeServer::new(|request| Answer::json(200, &json!({ "path": request.path.split('?').next() })));
    let output = run.args(["--base-url", &server.base_url(), "-v", "s/a.yaml"]).run();
    (server, output)
}

fn sent(server: &FakeServer) -> Vec<String> {
    server.lines().split_off(1)
}

fn findings(run: Run, path: &str) -> String {
    let output = run.args(["check", path]).run().code_is(2);
    output.scrub(&output.stderr)
}

const LOGIN: (&str, &str) = (
    "_lib/login.yaml",
    "
    name: log in
    params:
      user: { type: string }
      attempts: 3
      path: { default: \"/${{ user }}\" }
    vars: { label: \"${{ user }}-${{ attempts }}\" }
    steps:
      - id: asked
        http: { path: \"/login${{ path }}\", query: { label: \"${{ label }}\" } }
        save: { sid: $.path }
    returns:
      sid: ${{ sid }}
      both: [\"${{ label }}\", \"${{ steps.asked.status }}\"]
    ",
);

#[test]
fn values_go_in_and_come_out() {
    let (server, output) = run(files(&[
        LOGIN,
        (
            "a.yaml",
            "
            name: A
            steps:
              - use: _lib/login.yaml
                with: { user: alice }
                id: first
                expect: { $.both: [alice-3, 200] }
                save: { sid: $.sid, all: $, both: \"${{ steps.first.body.both[0] }}\" }
              - use: _lib/login.yaml
                name: once more
                with: { user: bob, attempts: \"${{ 1 + 1 }}\", path: /x }
                save: second
              - http: { path: /end, json: { sid: \"${{ sid }}\", all: \"${{ all }}\", both: \"${{ both }}\", second: \"${{ second }}\" } }
            ",
        ),
    ]));
    insta::assert_snapshot!(output.code_is(0).scrubbed(), @"
    agentos-run [version] against [url]
    A
      ok log in › http [time]
      ok log in (use) [time]
      ok once more › http [time]
      ok once more (use) [time]
      ok http [time]
    PASS A  s/a.yaml:1  (5 steps, [time])
    1 scenario: 1 passed  (5 steps, 1 check, [time])
    ");
    assert_eq!(sent(&server), ["GET /login/alice?label=alice-3", "GET /login/x?label=bob-2", "GET /end"]);
    let last = server.requests().pop().unwrap().json();
    assert_eq!(
        last,
        json!({
            "sid": "/login/alice",
            "all": { "sid": "/login/alice", "both": ["alice-3", 200] },
            "both": "alice-3",
            "second": { "sid": "/login/x", "both": ["bob-2", 200] },
        })
    );
}

#[test]
fn a_fragment_sees_what_goes_in_and_leaves_nothing_behind() {
    let fragment = "
        params: [mine]
        steps:
          - set: { outer: changed, mine: \"${{ mine + 1 }}\" }
          - id: step
            http: { path: /inside }
        returns: [mine, outer]
    ";
    let (_, output) = run(files(&[
        ("_f.yaml", fragment),
        (
            "a.yaml",
            "
            vars: { outer: 1, mine: 10 }
            steps:
              - id: step
                http: { path: /outside }
              - use: _f.yaml
                with: { mine: 5 }
                expect: { $.mine: 6, $.outer: changed }
              - assert: [\"${{ outer == 1 and mine == 10 and steps.step.body.path == '/outside' }}\"]
            ",
        ),
    ]));
    output.code_is(0);
    // What the caller has is unknown inside, at check time.
    let text = findings(
        files(&[
            (
                "_f.yaml",
                "params: []\nsteps: [{ log: \"${{ outer }} ${{ steps.step.body }} ${{ case.x }} ${{ item }}\" }]\n",
            ),
            (
                "a.yaml",
                "cases: [{ x: 1 }]\nvars: { outer: 1 }\nsteps:\n  - { id: step, http: { path: /x } }\n  - { use: _f.yaml, for_each: [1] }\n",
            ),
        ]),
        "s/a.yaml",
    );
    assert_eq!(text.matches("not defined here").count(), 1, "{text}");
    assert_eq!(text.matches("is not defined\n").count(), 3, "{text}");
}

#[test]
fn a_failure_inside_shows_the_chain_of_those_who_use_it() {
    let (_, output) = run(files(&[
        (
            "_lib/inner.yaml",
            "
            params: [word]
            steps:
              - name: say ${{ word }}
                http: { path: /inner }
                expect: { $.path: \"/${{ word }}\" }
        ",
        ),
        (
            "_lib/outer.yaml",
            "
            name: outer
            params: [word]
            steps:
              - group:
                  - use: inner.yaml
                    name: the inner one
                    with: { word: \"${{ word }}\" }
              - http: { path: /never }
        ",
        ),
        (
            "a.yaml",
            "
            name: A
            steps:
              - for_each: [inner, outer]
                use: _lib/outer.yaml
                with: { word: \"${{ item }}\" }
              - http: { path: /never }
            finally:
              - use: _lib/inner.yaml
                with: { word: inner }
        ",
        ),
    ]));
    insta::assert_snapshot!(output.code_is(1).scrubbed(), @r#"
    agentos-run [version] against [url]
    A
      ok outer › the inner one › say inner (http) [time]
      ok outer › the inner one (use) [time]
      ok outer › http [time]
      ok outer (use) [time]
      failed outer › the inner one › say outer (http) [time]
      ok inner › say inner (http) [time]
      ok inner (use) [time]
    FAIL A  s/a.yaml:1  (7 steps, [time])

    FAIL A
      step `say outer` (http) at s/_lib/inner.yaml:3:5
        in `the inner one` at s/_lib/outer.yaml:5:9
        in `outer` at s/a.yaml:3:5
      expect::failed

        × `$.path` is "/inner", expected "/outer"
         ╭─[s/_lib/inner.yaml:5:23]
       4 │     http: { path: /inner }
       5 │     expect: { $.path: "/${{ word }}" }
         ·                       ───────┬──────
         ·                              ╰── expected: "/outer"; found: "/inner"
       6 │
         ╰────
        request: curl [url]/inner
        response: 200 OK, application/json, 17 bytes, [time]
          {
            "path": "/inner"
          }

    1 scenario: 1 failed  (7 steps, 3 checks, [time])
    "#);
}

#[test]
fn fragments_stand_wherever_steps_do() {
    let fragment = "
        params: [n]
        steps:
          - parallel:
              - http: { path: \"/${{ n }}/one\" }
                id: one
              - for_each: [x, y]
                concurrency: 2
                id: last
                http: { path: \"/${{ n }}/${{ item }}\" }
          - repeat: 2
            http: { path: \"/${{ n }}/again\" }
        returns: { one: \"${{ steps.one.body.path }}\", last: \"${{ steps.last.body.path }}\" }
    ";
    let (server, output) = run(files(&[
        ("_f.yaml", fragment),
        ("a.yaml", "
            vars: { no: false }
            setup: [{ use: _f.yaml, with: { n: 1 } }]
            steps:
              - { if: \"${{ no }}\", use: _f.yaml, with: { n: 2 } }
              - parallel:
                  - { use: _f.yaml, with: { n: 3 }, save: { three: $.one } }
                  - group:
                      - { use: _f.yaml, id: four, with: { n: 4 } }
                      - set: { four: \"${{ steps.four.body.last }}\" }
              - { for_each: [5, 6], concurrency: 2, use: _f.yaml, with: { n: \"${{ item }}\" }, save: { last: $.last } }
              - assert: [{ \"${{ three }}\": /3/one }, { \"${{ four }}\": /4/y }, { \"${{ last }}\": /6/y }]
            finally: [{ use: _f.yaml, with: { n: 7 } }]
        "),
    ]));
    output.code_is(0);
    let mut lines = sent(&server);
    lines.sort();
    let all: Vec<String> = [1, 3, 4, 5, 6, 7]
        .iter()
        .flat_map(|n| ["again", "again", "one", "x", "y"].map(|path| format!("GET /{n}/{path}")))
        .collect();
    assert_eq!(lines, all);
}

#[test]
fn a_soft_use_and_one_with_a_time_of_its_own() {
    let (server, output) = run(files(&[
        (
            "_f.yaml",
            "params: [n]\nsteps:\n  - http: { path: \"/${{ n }}\" }\n    expect: { $.path: /1 }\n  - sleep: 20s\nreturns: []\n",
        ),
        (
            "a.yaml",
            "
            steps:
              - { use: _f.yaml, with: { n: 2 }, soft: true }
              - { use: _f.yaml, with: { n: 1 }, timeout: 50ms }
              - http: { path: /never }
        ",
        ),
    ]));
    let text = output.code_is(1).scrubbed();
    assert!(
        text.contains("the group's time of 50 ms is up") || text.contains("the group's time of [time] is up"),
        "{text}"
    );
    assert_eq!(sent(&server), ["GET /2", "GET /1"]);
}

#[test]
fn values_of_the_wrong_type_at_run_time() {
    let (_, output) = run(files(&[
        LOGIN,
        (
            "a.yaml",
            "
        vars: { n: many }
        steps:
          - use: _lib/login.yaml
            with: { user: alice, attempts: \"${{ n }}\" }
    ",
        ),
    ]));
    let text = output.code_is(1).scrubbed();
    assert!(text.contains("`attempts` must be a number"), "{text}");
    assert!(
        text.contains("is \"many\" here") && text.contains("declared at s/_lib/login.yaml:4:3"),
        "{text}"
    );
}

#[test]
fn files_are_found_beside_the_file_that_names_them() {
    let (server, output) = run(files(&[
        (
            "_lib/deep/read.yaml",
            "params: []\nsteps:\n  - http: { path: /x, body: \"${{ file('words.txt') }}\", method: POST }\n",
        ),
        ("_lib/deep/words.txt", "beside the fragment"),
        ("other/_more.yaml", "params: []\nsteps: [{ use: ../_lib/deep/read.yaml }]\n"),
        ("a.yaml", "steps:\n  - use: other/_more.yaml\n"),
    ]));
    output.code_is(0);
    assert_eq!(server.requests().pop().unwrap().text(), "beside the fragment\n");
}

#[test]
fn an_identity_goes_for_the_steps_inside() {
    let project = "
        identities:
          alice: { bearer: for-alice }
          bob: { bearer: for-bob }
    ";
    let files = files(&[
        (
            "_f.yaml",
            "params: []\nsteps:\n  - http: { path: /fragment }\n  - { http: { path: /own }, as_user: bob }\n",
        ),
        (
            "a.yaml",
            "
            steps:
              - { use: _f.yaml, as_user: alice }
              - { group: [{ http: { path: /group } }], as_user: alice }
              - parallel:
                  - { http: { path: /branch }, as_user: bob }
                as_user: alice
              - http: { path: /none }
        ",
        ),
    ]);
    let server = FakeServer::always(Answer::json(200, &json!({})));
    let run = files.file("agentos-run.yaml", dedent(project));
    run.args(["--base-url", &server.base_url(), "s/a.yaml"]).run().code_is(0);
    let who: Vec<(String, String)> = server.requests()[1..]
        .iter()
        .map(|request| (request.path.clone(), request.header("authorization").unwrap_or("nobody").to_owned()))
        .collect();
    let who: Vec<(&str, &str)> = who.iter().map(|(path, who)| (path.as_str(), who.as_str())).collect();
    assert_eq!(
        who,
        [
            ("/fragment", "Bearer for-alice"),
            ("/own", "Bearer for-bob"),
            ("/group", "Bearer for-alice"),
            ("/branch", "Bearer for-bob"),
            ("/none", "nobody"),
        ]
    );
}

#[test]
fn what_expressions_read_of_a_fragment_is_held_against_what_it_returns() {
    let said = findings(
        files(&[
            LOGIN,
            (
                "_outer.yaml",
                "
            steps:
              - id: login
                use: _lib/login.yaml
                with: { user: x }
            returns: { a: \"${{ steps.login.body.sid }}\", b: \"${{ steps.login.body.user }}\" }
        ",
            ),
            (
                "_same.yaml",
                "
            params: [x]
            steps:
              - { id: login, http: { path: / } }
              - log: ${{ steps.login.body.whatever }}
        ",
            ),
            (
                "a.yaml",
                "
            steps:
              - group:
                  - id: login
                    use: _lib/login.yaml
                    with: { user: alice }
                    expect: [\"${{ steps.login.body.sdi == 1 }}\"]
              - id: outer
                use: _outer.yaml
              - log: ${{ steps.login.body.sid }} ${{ steps.outer.body.a }} ${{ steps.outer.body }}
              - log: ${{ steps.outer.body.c }} ${{ steps.outer.body.c | length }}
              - use: _same.yaml
                with: { x: 1 }
              - http: { path: / }
                id: other
              - log: ${{ steps.other.body.anything }}
        ",
            ),
        ]),
        "s/a.yaml",
    );
    let found: Vec<&str> = said.lines().filter(|line| line.contains(" returns no ")).collect();
    assert_eq!(
        found,
        [
            "  × _lib/login.yaml returns no `user`",
            "  × _lib/login.yaml returns no `sdi`",
            "  × _outer.yaml returns no `c`",
            "  × _outer.yaml returns no `c`",
        ],
        "{said}"
    );
    assert!(said.contains("steps.login.body.sdi") && said.contains("did you mean `sid`?"), "{said}");
}

#[test]
fn a_fragment_has_no_lists_of_its_own_before_and_after() {
    for (key, help) in [
        ("setup", "its steps are the first of `steps`"),
        ("finally", "`cleanup: true` in the scenario, or a second fragment in its `finally`"),
    ] {
        let fragment = format!("params: [x]\n{key}: [{{ log: x }}]\nsteps: [{{ log: x }}]\n");
        let output = Run::new().file("_f.yaml", fragment).args(["check", "_f.yaml"]).run().code_is(2);
        assert!(output.stderr.contains(&format!("a fragment has no key `{key}`")), "{output}");
        let said = output.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(help), "{output}");
    }
}

#[test]
fn what_a_use_gives_and_takes_is_held_against_the_fragment() {
    insta::assert_snapshot!(findings(files(&[
        LOGIN,
        ("_empty.yaml", "steps: [{ log: x }]\n"),
        ("a.yaml", "
            steps:
              - use: _lib/login.yaml
              - use: _lib/login.yaml
                with: { usr: alice, attempts: many }
                save: { x: $.sdi, y: content }
                retry: 3
              - use: _lib/logn.yaml
              - use: _empty.yaml
                with: { x: 1 }
                save: { x: $.y }
              - use: [_lib/login.yaml]
              - use: ${{ env.WHICH }}
              - use: _lib
              - log: x
                with: { a: 1 }
        "),
    ]), "s/a.yaml"), @"
use::missing-param

  × _lib/login.yaml needs `user`
   ╭─[s/a.yaml:2:10]
 1 │ steps:
 2 │   - use: _lib/login.yaml
   ·          ───────┬───────
   ·                 ╰── missing here
 3 │   - use: _lib/login.yaml
   ╰────
  help: with: { user: ... }

use::unknown-param

  × _lib/login.yaml has no parameter `usr`
   ╭─[s/a.yaml:4:13]
 3 │   - use: _lib/login.yaml
 4 │     with: { usr: alice, attempts: many }
   ·             ─┬─
   ·              ╰── unknown name
 5 │     save: { x: $.sdi, y: content }
   ╰────
  help: did you mean `user`?

use::type

  × `attempts` must be a number
   ╭─[s/a.yaml:4:35]
 3 │   - use: _lib/login.yaml
 4 │     with: { usr: alice, attempts: many }
   ·                                   ──┬─
   ·                                     ╰── another type
 5 │     save: { x: $.sdi, y: content }
   ╰────
  help: declared at s/_lib/login.yaml:4:3

use::unknown-return

  × _lib/login.yaml returns no `sdi`
   ╭─[s/a.yaml:5:16]
 4 │     with: { usr: alice, attempts: many }
 5 │     save: { x: $.sdi, y: content }
   ·                ──┬──
   ·                  ╰── unknown name
 6 │     retry: 3
   ╰────
  help: did you mean `sid`?

step::save

  × a fragment has no `content`
   ╭─[s/a.yaml:5:26]
 4 │     with: { usr: alice, attempts: many }
 5 │     save: { x: $.sdi, y: content }
   ·                          ───┬───
   ·                             ╰── there is no answer
 6 │     retry: 3
   ╰────
  help: what it returns is read by a path: `$.content`

step::modifier

  × `retry` needs a step that sends a request
   ╭─[s/a.yaml:6:5]
 5 │     save: { x: $.sdi, y: content }
 6 │     retry: 3
   ·     ──┬──
   ·       ╰── `use` sends none
 7 │   - use: _lib/logn.yaml
   ╰────

file::unreadable

  × there is no file s/_lib/logn.yaml
   ╭─[s/a.yaml:7:10]
 6 │     retry: 3
 7 │   - use: _lib/logn.yaml
   ·          ───────┬──────
   ·                 ╰── not found
 8 │   - use: _empty.yaml
   ╰────
  help: did you mean `_lib/login.yaml`?

use::unknown-param

  × _empty.yaml has no parameter `x`
    ╭─[s/a.yaml:9:13]
  8 │   - use: _empty.yaml
  9 │     with: { x: 1 }
    ·             ┬
    ·             ╰── unknown name
 10 │     save: { x: $.y }
    ╰────
  help: it has no `params`

use::unknown-return

  × _empty.yaml returns no `y`
    ╭─[s/a.yaml:10:16]
  9 │     with: { x: 1 }
 10 │     save: { x: $.y }
    ·                ─┬─
    ·                 ╰── unknown name
 11 │   - use: [_lib/login.yaml]
    ╰────
  help: it has no `returns`

use::file

  × `use` must be the file of a fragment
    ╭─[s/a.yaml:11:10]
 10 │     save: { x: $.y }
 11 │   - use: [_lib/login.yaml]
    ·          ────────┬───────
    ·                  ╰── found a list
 12 │   - use: ${{ env.WHICH }}
    ╰────
  help: use: _lib/login.yaml

use::file

  × the file of a fragment is literal: `check` reads it
    ╭─[s/a.yaml:12:10]
 11 │   - use: [_lib/login.yaml]
 12 │   - use: ${{ env.WHICH }}
    ·          ────────┬───────
    ·                  ╰── an expression
 13 │   - use: _lib
    ╰────
  help: `if:` chooses between two steps, each with a `use` of its own

file::unreadable

  × s/_lib is a folder
    ╭─[s/a.yaml:13:10]
 12 │   - use: ${{ env.WHICH }}
 13 │   - use: _lib
    ·          ──┬─
    ·            ╰── named here
 14 │   - log: x
    ╰────

step::modifier

  × `with` needs `use`
    ╭─[s/a.yaml:15:5]
 14 │   - log: x
 15 │     with: { a: 1 }
    ·     ──┬─
    ·       ╰── `log` has fields of its own
 16 │
    ╰────

13 problems: 1 scenario and 2 fragments in 3 files
");
}

#[test]
fn what_is_wrong_with_a_fragment_itself() {
    insta::assert_snapshot!(findings(files(&[("_f.yaml", "
        params:
          a: { type: text, defalt: 3 }
          b: { type: integer, default: x }
          c: { required: true, default: y }
          d: { x: 1 }
          run: 3
        tags: [x]
        steps:
          - log: ${{ caller }}
        returns: { x: \"${{ nothing }}\" }
    ")]), "s/_f.yaml"), @r#"
fragment::params

  × there is no type `text`
   ╭─[s/_f.yaml:2:14]
 1 │ params:
 2 │   a: { type: text, defalt: 3 }
   ·              ──┬─
   ·                ╰── unknown type
 3 │   b: { type: integer, default: x }
   ╰────
  help: did you mean `string`?

scenario::unknown-key

  × a parameter has no key `defalt`
   ╭─[s/_f.yaml:2:20]
 1 │ params:
 2 │   a: { type: text, defalt: 3 }
   ·                    ───┬──
   ·                       ╰── unknown key
 3 │   b: { type: integer, default: x }
   ╰────
  help: did you mean `default`?

fragment::params

  × `b` must be an integer
   ╭─[s/_f.yaml:3:32]
 2 │   a: { type: text, defalt: 3 }
 3 │   b: { type: integer, default: x }
   ·                                ┬
   ·                                ╰── the default is none
 4 │   c: { required: true, default: y }
   ╰────

fragment::params

  × `c` is required and has a default
   ╭─[s/_f.yaml:4:24]
 3 │   b: { type: integer, default: x }
 4 │   c: { required: true, default: y }
   ·                        ───┬───
   ·                           ╰── never used
 5 │   d: { x: 1 }
   ╰────
  help: take one of the two away

scenario::unknown-key

  × a parameter has no key `x`
   ╭─[s/_f.yaml:5:8]
 4 │   c: { required: true, default: y }
 5 │   d: { x: 1 }
   ·        ┬
   ·        ╰── unknown key
 6 │   run: 3
   ╰────
  help: a default that is a mapping is written `{ default: { ... } }`

scenario::name

  × `run` is a name of the language
   ╭─[s/_f.yaml:6:3]
 5 │   d: { x: 1 }
 6 │   run: 3
   ·   ─┬─
   ·    ╰── taken
 7 │ tags: [x]
   ╰────
  help: choose another name

scenario::unknown-key

  × a fragment has no key `tags`
   ╭─[s/_f.yaml:7:1]
 6 │   run: 3
 7 │ tags: [x]
   · ──┬─
   ·   ╰── unknown key
 8 │ steps:
   ╰────
  help: `tags` is for scenarios; s/_f.yaml is a fragment

expression::undefined

  × `caller` is not defined
    ╭─[s/_f.yaml:9:14]
  8 │ steps:
  9 │   - log: ${{ caller }}
    ·              ───┬──
    ·                 ╰── not defined
 10 │ returns: { x: "${{ nothing }}" }
    ╰────
  help: known here: a, b, c, d, env, run, steps

expression::undefined

  × `nothing` is not defined
    ╭─[s/_f.yaml:10:20]
  9 │   - log: ${{ caller }}
 10 │ returns: { x: "${{ nothing }}" }
    ·                    ───┬───
    ·                       ╰── not defined
 11 │
    ╰────
  help: known here: a, b, c, d, env, run, steps

9 problems: 0 scenarios and 1 fragment in 1 file
"#);
    insta::assert_snapshot!(findings(files(&[
        ("_f.yaml", "params: [a, a]\nreturns: [b]\nsteps: []\n"),
        ("a.yaml", "steps: [{ use: _f.yaml, with: { a: 1 } }]\n"),
    ]), "s/a.yaml"), @"
    fragment::twice

      × `a` stands twice in `params`
       ╭─[s/_f.yaml:1:13]
     1 │ params: [a, a]
       ·          ┬  ┬
       ·          │  ╰── again here
       ·          ╰── first here
     2 │ returns: [b]
       ╰────

    expression::undefined

      × `b` is not defined
       ╭─[s/_f.yaml:2:11]
     1 │ params: [a, a]
     2 │ returns: [b]
       ·           ┬
       ·           ╰── not defined
     3 │ steps: []
       ╰────
      help: known here: a, env, run, steps

    scenario::no-steps

      × the fragment has no `steps`
       ╭─[s/_f.yaml:3:1]
     2 │ returns: [b]
     3 │ steps: []
       · ──┬──
       ·   ╰── nothing to do
     4 │
       ╰────

    3 problems: 1 scenario and 1 fragment in 2 files
    ");
}

#[test]
fn fragments_that_use_each_other() {
    insta::assert_snapshot!(findings(files(&[
        ("_one.yaml", "params: []\nsteps: [{ use: _two.yaml }]\n"),
        ("_two.yaml", "params: []\nsteps:\n  - group: [{ use: _one.yaml }]\n  - use: _two.yaml\n"),
        ("a.yaml", "steps: [{ use: _one.yaml }]\n"),
    ]), "s/a.yaml"), @"
use::cycle

  × a fragment uses itself
   ╭─[s/_two.yaml:3:20]
 2 │ steps:
 3 │   - group: [{ use: _one.yaml }]
   ·                    ────┬────
   ·                        ╰── leads back to where it came from
 4 │   - use: _two.yaml
   ╰────
  help: _one.yaml uses _two.yaml uses _one.yaml

use::cycle

  × a fragment uses itself
   ╭─[s/_two.yaml:4:10]
 3 │   - group: [{ use: _one.yaml }]
 4 │   - use: _two.yaml
   ·          ────┬────
   ·              ╰── leads back to where it came from
 5 │
   ╰────
  help: _two.yaml uses _two.yaml

2 problems: 1 scenario and 2 fragments in 3 files
");
}

#[test]
fn a_fragment_is_checked_by_itself_and_not_run() {
    let output = files(&[LOGIN]).args(["check", "s/_lib"]).run().code_is(0);
    assert_eq!(output.stdout, "no problems: 0 scenarios and 1 fragment in 1 file\n");
    let output = files(&[LOGIN, ("a.yaml", "steps: [{ use: _lib/login.yaml, with: { user: x } }]\n")]);
    let output = output.args(["check", "s", "s/_lib/login.yaml"]).run().code_is(0);
    assert_eq!(output.stdout, "no problems: 1 scenario and 1 fragment in 2 files\n");
    let output =
        files(&[LOGIN]).args(["--base-url", "http://127.0.0.1:1", "s/_lib/login.yaml"]).run().code_is(4);
    insta::assert_snapshot!(output.stderr, @"there are only fragments in the files given: scenarios `use` them, `check` checks them");
}

#[test]
fn a_fragment_among_scenarios() {
    insta::assert_snapshot!(
        findings(files(&[("login.yaml", "params: [user]\nsteps: [{ log: \"${{ user }}\" }]\n")]), "s"),
        @r#"
fragment::place

  × s/login.yaml is a fragment and stands among scenarios
   ╭─[s/login.yaml:1:1]
 1 │ params: [user]
   · ───┬──
   ·    ╰── only fragments have this
 2 │ steps: [{ log: "${{ user }}" }]
   ╰────
  help: give the file or its folder a name that begins with `_`: `_lib/`

1 problem: 0 scenarios and 1 fragment in 1 file
"#
    );
}
