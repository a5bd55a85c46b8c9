//! What people who come from other tools, or from another place of the language, mean by a key that a step does not have.

/// What to write in place of such a key; none where nothing is known of it.
pub(super) fn meant(key: &str) -> Option<&'static str> {
    Some(match key {
        "where" | "filter" => {
            "it stands in `for_each`, beside the operation: for_each: { get_sessions: {}, where: ${{ item... }} }"
        }
        "asserts" | "assertions" | "expectations" | "should" | "then" => {
            "what must hold stands under `expect:`"
        }
        "when" | "condition" | "only_if" => "a step under a condition has `if: ${{ ... }}`",
        "foreach" | "forEach" | "for" | "loop" | "with_items" | "each" => {
            "a step runs for each of several with `for_each:`, and several times with `repeat:`"
        }
        "capture" | "captures" | "register" | "extract" | "output" | "outputs" | "store" => {
            "variables are taken from the answer by `save: { name: $.path }`"
        }
        "request" | "url" | "method" | "get" | "post" | "patch" | "put" | "delete" => {
            "any request is `http: { get: /path }`; what AgentOS offers has operations: `agentos-run operations`"
        }
        "wait" | "delay" | "pause" => "a pause is `sleep: 2s`; to wait for something, use `until`",
        "print" | "echo" | "message" | "debug" => "a line in the report is `log: text`",
        "teardown" | "after" | "always" | "cleanup" => {
            "what runs in any case stands under `finally:`, beside `steps:`; `cleanup: true` there deletes what was created"
        }
        "steps" => "steps beside each other are `parallel:`, in one block `group:`, from another file `use:`",
        "include" | "import" | "call" | "template" | "uses" | "fragment" => {
            "the steps of another file run by `use: FILE`"
        }
        "run" | "shell" | "script" | "exec" => {
            "no commands are run here; requests are operations, such as `run_agent:`, or `http:`"
        }
        "do" => "the step that runs in a loop stands beside `for_each:`; several of them are `group: [...]`",
        "env" | "vars" | "variables" => {
            "variables stand in `vars:` of the scenario, or a step gives them values: `set: { name: value }`"
        }
        "params" | "args" | "arguments" | "fields" | "inputs" | "body" | "action" | "operation" | "step" => {
            "the operation is the key, and its fields stand in it: `run_agent: { agent_id: assistant, message: Hello }`; values for a fragment are `with:`"
        }
        "stream" | "background" | "agent_id" | "session_id" | "user_id" | "agent" | "session" => {
            "it is a field of the operation: `run_agent: { agent_id: assistant, message: Hello, stream: true }`"
        }
        "continue-on-error" | "continue_on_error" | "ignore_errors" | "allow_failure" | "optional" => {
            "a step whose failure does not end the scenario has `soft: true`"
        }
        "expect_error" | "fails" | "should_fail" | "xfail" | "raises" | "throws" => {
            "a failure that is meant is expected: `expect: { status: 404 }`, or `expect: { error: { contains: not found } }`"
        }
        "user" | "auth" | "identity" => {
            "the user of a run is `user_id` of the operation; who sends the request is `as_user:`"
        }
        "retries" | "attempts" | "max_attempts" => "a request is sent again by `retry: { attempts: 3 }`",
        _ => return None,
    })
}

/// What to write in place of a key that a scenario does not have.
pub(super) fn meant_of_scenario(key: &str) -> Option<&'static str> {
    Some(match key {
        "env" | "variables" | "inputs" | "params" | "with" | "let" => {
            "variables stand in `vars:`; the environment is read as `${{ env.NAME }}`"
        }
        "strategy" | "parametrize" | "examples" | "data" | "table" | "parameters" | "dataset" => {
            "one run for each row is `cases: [{ city: Paris }, { city: Rome }]`, for each combination `matrix: { city: [Paris, Rome] }`; a value is read as `${{ case.city }}`"
        }
        "needs" | "depends_on" | "after" | "dependencies" => {
            "scenarios do not wait for each other: what one needs stands in its `setup:`, and what several need in a fragment"
        }
        "jobs" | "scenarios" => {
            "each scenario is a document of its own: in one file, `---` stands between them"
        }
        "tests" | "test" | "request" | "requests" | "tasks" | "script" | "actions" | "flow" | "turns" => {
            "what is done stands in `steps:`, each with what must hold: `- run_agent: {...}`, `expect: {...}`"
        }
        "before" | "before_each" | "beforeEach" | "before_all" | "beforeAll" | "given" | "precondition" => {
            "what is done before stands in `setup:`"
        }
        "teardown" | "after_each" | "afterEach" | "after_all" | "afterAll" | "always" | "on_exit" => {
            "what is done in any case stands in `finally:`; `cleanup: true` deletes what was created"
        }
        "scenario" | "title" | "id" => "what it is called is `name:`",
        "only" | "focus" => {
            "one scenario alone runs by `--filter NAME` or by `FILE:LINE` on the command line"
        }
        "if" | "when" | "disabled" | "ignore" => {
            "a scenario that does not run has `skip: true`, a reason, or an expression"
        }
        "retry" => "a scenario is run again by `retries: 3`; one request by `retry: 3` in its step",
        "headers" | "base_url" | "url" | "token" | "auth" | "host" | "baseUrl" | "server" => {
            "where requests go, and with which headers, stands in `targets:` of the project file, or on the command line: `--base-url`, `--header`, `--token`"
        }
        "expect" | "assert" | "asserts" => {
            "expectations stand in the steps: `- health: {}`, and below it `expect: { status: 200 }`"
        }
        "parallel" | "concurrency" => {
            "how many run at the same time is `--jobs`; `serial: true` keeps one alone"
        }
        "include" | "exclude" => "what is added to a matrix, or left out of it, stands in `matrix:`",
        _ => return None,
    })
}

/// What to write in place of a key that a fragment does not have.
pub(super) fn meant_of_fragment(key: &str) -> Option<&'static str> {
    Some(match key {
        "fragment" | "id" | "title" => "what it is called is `name:`",
        "inputs" | "parameters" | "args" | "arguments" | "with" => {
            "what goes in stands in `params: { name: { type: string } }`"
        }
        "outputs" | "output" | "return" | "save" | "exports" => {
            "what comes out stands in `returns: { name: \"${{ ... }}\" }`"
        }
        _ => return None,
    })
}
