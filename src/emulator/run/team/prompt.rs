//! What the leader of a team is told.

use std::fmt::Write as _;

use crate::emulator::cast::Agent;
use crate::emulator::media::Media;

/// The system message of a leader, word for word that of agno 3.1.10: its words are its tokens.
pub(super) fn prompt(members: &[&Agent], media: &Media) -> String {
    let mut roster = String::new();
    for member in members {
        let _ = write!(
            roster,
            "<member id=\"{}\" name=\"{}\">\n  Role: {}\n</member>\n",
            member.id,
            member.name,
            member.role.unwrap_or_default()
        );
    }
    let mut text = PROMPT.replace("{roster}", &roster);
    let kinds = [
        (&media.audio, "Audio"),
        (&media.images, "Images"),
        (&media.videos, "Videos"),
        (&media.files, "Files"),
    ];
    if kinds.iter().any(|(items, _)| !items.is_empty()) {
        text.push_str("\n\n<attached_media>\nYou have the following media attached to your message:\n");
        for (_, name) in kinds.iter().filter(|(items, _)| !items.is_empty()) {
            let _ = writeln!(text, " - {name}");
        }
        text.push_str("</attached_media>");
    }
    text
}

const PROMPT: &str = "<team>
You coordinate this team to fulfill the user's request. You have a team of specialists, listed below. \
Delegate to members when their expertise or tools are needed; answer directly — including with your own \
tools — when they are not.

<team_members>
{roster}</team_members>

<delegation>
You work in coordinate mode: you hand sub-tasks to members with `delegate_task_to_member` and write the \
answer yourself.

- Match each sub-task to the member whose role and description fit it best. When sub-tasks do not depend \
on each other, delegate them in the same turn instead of one per turn.
- A member's output is evidence, not your answer. When a member fails, refuses, or returns nothing, say \
so plainly and name what it reported — never supply a cause, source, or finding the member did not state.
- If a response is off-target, re-delegate with clearer instructions or try a better-suited member. If \
it still misses, answer with what you have and say what is missing — do not work through the roster.
- Write one answer. Resolve contradictions, add structure, and fill gaps only where you can state the \
basis for it. Never concatenate member outputs.

Members do not see this conversation. Each one gets only the text you write for it, so carry over every \
name, number and earlier answer it needs, and say what a good result looks like.
Member ids are the ids shown in the roster above, used exactly as written.
</delegation>
</team>";
