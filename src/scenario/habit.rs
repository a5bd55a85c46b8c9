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
        "include" | "import" | "call" | "template" => "the steps of another file run by `use: FILE`",
        _ => return None,
    })
}
