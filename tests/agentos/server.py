"""A real AgentOS for the project's own tests: agno's server, a fake model, no network.

Everything that speaks HTTP is agno's own code. Only the model is ours: `OfflineModel` answers with a pure
function of the messages it is given, so that a run can be compared word for word. One file serves agno 2.3,
2.6 and 3.1; what differs between them is under "What changed between versions".

    pip install -r requirements-3.1.10.txt
    PORT=7777 python server.py

Environment:
  PORT                     TCP port on 127.0.0.1 (required)
  AGENTOS_DB               SQLite file (default: a temporary one, gone with the server)
  OS_SECURITY_KEY          if set, `Authorization: Bearer <key>` is required
  AGENTOS_JWT_SECRET       if set, JWT (HS256) authorization with this secret
  AGENTOS_JWT_AUDIENCE     with JWT: whom the tokens must be meant for (default: anybody)
  AGENTOS_USER_ISOLATION   "1": with JWT, users see only what is theirs (not in agno 2.3)
  AGENTOS_PACE             seconds that the model takes for each word (0 by default)
  AGENTOS_TRACING          "1" records traces (off by default: runs are twice as fast)
  AGENTOS_FULL             "1": everything that the embedded AgentOS has, which is knowledge with a librarian, answers
                           to a JSON schema, and an agent that sees its context (agno 3.1)

With `--exit-with-stdin` the server ends when its standard input does, so it never outlives whoever started it.
"""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import json
import os
import re
import shutil
import sys
import tempfile
import threading
from dataclasses import dataclass
from typing import Any, AsyncIterator, Callable, Iterator

os.environ.setdefault("AGNO_TELEMETRY", "false")

from agno.agent import Agent
from agno.db.sqlite import SqliteDb
from agno.exceptions import ModelProviderError
from agno.memory import MemoryManager
from agno.models.base import Model
from agno.models.message import Message
from agno.models.response import ModelResponse
from agno.os import AgentOS
from agno.os.settings import AgnoAPISettings
from agno.team import Team
from agno.tools import tool
from agno.workflow import Step, Workflow
from agno.workflow.types import StepInput, StepOutput

# ---- What changed between versions ----------------------------------------------------------------

try:  # since 2.5
    from agno.metrics import MessageMetrics as Usage
except ImportError:
    from agno.models.metrics import Metrics as Usage


try:  # since 3.0
    from agno.workflow.types import HumanReview
except ImportError:
    HumanReview = None


def parameters_of(function: Callable[..., Any]) -> set[str]:
    """The names that a function takes: how this file asks which version it is on."""
    return set(inspect.signature(function).parameters)


def authorization(secret: str, isolation: bool) -> dict[str, Any]:
    """AgentOS arguments that turn JWT authorization on."""
    keys = {"verification_keys": [secret], "algorithm": "HS256", "verify_audience": False}
    if audience := os.environ.get("AGENTOS_JWT_AUDIENCE"):
        keys |= {"verify_audience": True, "audience": audience}
    if "user_isolation" in parameters_of(AgentOS.__init__):  # 3.x
        from agno.os import Authorization

        return {"authorization": Authorization(**keys), "user_isolation": isolation}
    from agno.os.config import AuthorizationConfig

    if "user_isolation" in AuthorizationConfig.model_fields:
        keys["user_isolation"] = isolation
    return {"authorization": True, "authorization_config": AuthorizationConfig(**keys)}


FULL = os.environ.get("AGENTOS_FULL") == "1"
PACE = float(os.environ.get("AGENTOS_PACE") or 0)

# ---- What the model says --------------------------------------------------------------------------
# A voice takes the user's messages and the tool results that came after the last of them; it gives the
# text of the answer and the tools it wants called, as (name, arguments).

Answer = tuple[str, list[tuple[str, dict[str, Any]]]]
Voice = Callable[[list[str], list[str]], Answer]

NAME = re.compile(r"my name is ([a-z]+)", re.I)

# What agno asks the model that judges whether an answer is accurate.
EVALUATION = re.compile(
    r"<expected_output>\s*(?P<expected>.*?)\s*</expected_output>.*<agent_output>\s*(?P<output>.*?)\s*</agent_output>", re.S
)


def chat(said: list[str], _results: list[str]) -> Answer:
    last = said[-1] if said else ""
    low = last.lower()
    if found := EVALUATION.search(last):
        # An answer is right if it has the expected one in it.
        right = found["expected"] in found["output"]
        reason = "it is there" if right else "it is not there"
        return json.dumps({"accuracy_score": 10 if right else 2, "accuracy_reason": reason}), []
    if "what's my name" in low or "what is my name" in low:
        names = [found.group(1) for found in map(NAME.search, said) if found]
        return (f"Your name is {names[-1].capitalize()}." if names else "I don't know your name yet."), []
    if found := NAME.search(last):
        return f"Nice to meet you, {found.group(1).capitalize()}!", []
    if last.startswith("Summarize these memories"):
        # The sum of memories is their first sentences.
        return " ".join(f"{first}." for first in re.findall(r"^Memory \d+: ([^.\n]*)", last, re.M)), []
    if "how many messages" in low:
        return f"You have sent {len(said)} messages.", []
    return f"You said: {last}", []


def use_tools(said: list[str], results: list[str]) -> Answer:
    if results:
        return "Tool says: " + "; ".join(results), []
    last = said[-1] if said else ""
    calls: list[tuple[str, dict[str, Any]]] = []
    if found := re.search(r"add\s+(-?\d+)\s+(?:and\s+)?(-?\d+)", last, re.I):
        calls.append(("add", {"a": int(found.group(1)), "b": int(found.group(2))}))
    if found := re.search(r"weather in ([a-z]+)", last, re.I):
        calls.append(("get_weather", {"city": found.group(1)}))
    if "explode" in last.lower():
        calls.append(("explode", {"reason": "asked"}))
    return ("", calls) if calls else (f"No tool needed: {last}", [])


def ask_a_human(tool_name: str) -> Voice:
    """Wants the one tool that an agent has, and that somebody has to have a hand in."""

    def voice(said: list[str], results: list[str]) -> Answer:
        if results:
            return "Done: " + "; ".join(results), []
        last = said[-1] if said else ""
        calls: list[tuple[str, dict[str, Any]]] = []
        if tool_name == "delete_file" and (found := re.search(r"delete (\S+)", last, re.I)):
            calls = [("delete_file", {"path": path}) for path in found.group(1).split(",")]
        if tool_name == "run_shell" and (found := re.search(r"run (\S+)", last, re.I)):
            calls = [("run_shell", {"command": found.group(1)})]
        if tool_name == "send_email" and "email" in last.lower():
            calls = [("send_email", {"subject": "Hello"})]
        return ("", calls) if calls else (f"Nothing to do: {last}", [])

    return voice


def look_up(said: list[str], results: list[str]) -> Answer:
    if results:
        return "From the knowledge base: " + " | ".join(results), []
    return "", [("search_knowledge_base", {"query": said[-1] if said else ""})]


def count_words(said: list[str], _results: list[str]) -> Answer:
    found = re.search(r"(\d+)\s*words?", said[-1] if said else "")
    return " ".join(f"w{number}" for number in range(int(found.group(1)) if found else 50)), []


def fail(_said: list[str], _results: list[str]) -> Answer:
    return "This text comes before the failure.", []


def delegate(*members: str) -> Voice:
    def voice(said: list[str], results: list[str]) -> Answer:
        if results:
            return "Team result: " + " + ".join(results), []
        return "", [("delegate_task_to_member", {"member_id": id, "task": said[-1] if said else ""}) for id in members]

    return voice


def verdict(said: list[str], _results: list[str]) -> Answer:
    """Whatever is said to be wrong fails; all else passes."""
    passed = "wrong" not in (said[-1] if said else "").lower()
    reason = "nothing is said to be wrong" if passed else "something is wrong"
    return json.dumps({"passed": passed, "score": 9 if passed else 2, "reason": reason}), []


def remember(said: list[str], results: list[str]) -> Answer:
    """The voice of a memory manager."""
    if results:
        return "Memory updated.", []
    found = re.search(r"\bI (?:like|love) ([A-Za-z ]+)", said[-1] if said else "")
    if not found:
        return "No memory changes.", []
    return "", [("add_memory", {"memory": f"User likes {found.group(1).strip()}", "topics": ["preferences"]})]


def failure_of(last: str) -> Exception:
    """What goes wrong in the voice `fail`, by the words of the message."""
    if "valueerror" in last.lower():
        return ValueError("offline: plain ValueError")
    text, status = ("rate limited", 429) if "ratelimit" in last.lower() else ("model provider failed", 502)
    return ModelProviderError(
        message=f"offline: {text}", status_code=status, model_name="OfflineModel", model_id="offline-1"
    )


def schema_of(wanted: Any) -> dict[str, Any] | None:
    """The JSON schema that an answer has to fit."""
    if hasattr(wanted, "model_json_schema"):
        return wanted.model_json_schema()
    if isinstance(wanted, dict) and isinstance(wanted.get("json_schema"), dict):
        return wanted["json_schema"].get("schema") or {}
    return wanted if isinstance(wanted, dict) else None


def sample(schema: dict[str, Any], root: dict[str, Any]) -> Any:
    """An instance of a JSON schema, always the same."""
    if "$ref" in schema:
        node: Any = root
        for part in schema["$ref"].lstrip("#/").split("/"):
            node = node[part]
        return sample(node, root)
    for key in ("anyOf", "oneOf", "allOf"):
        if schema.get(key):
            return sample(schema[key][0], root)
    if "enum" in schema:
        return schema["enum"][0]
    if "const" in schema:
        return schema["const"]
    kind = schema.get("type", "object")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        return {name: sample(part, root) for name, part in (schema.get("properties") or {}).items()}
    if kind == "array":
        return [sample(schema.get("items") or {"type": "string"}, root)]
    return {"string": schema.get("title") or "sample", "integer": 42, "number": 4.5, "boolean": True}.get(kind)


# ---- The model ------------------------------------------------------------------------------------


def text_of(message: Message) -> str:
    content = message.content
    return content if isinstance(content, str) else "" if content is None else json.dumps(content, default=str)


@dataclass
class OfflineModel(Model):
    id: str = "offline-1"
    name: str = "OfflineModel"
    provider: str = "Offline"
    voice: Voice = chat
    supports_native_structured_outputs: bool = FULL

    def _answer(self, messages: list[Message], wanted: Any = None) -> tuple[str, list[dict[str, Any]], Any]:
        """The text, the tool calls and the usage of one call of the model."""
        said: list[str] = []
        results: list[str] = []
        attached = ""
        for message in messages:
            if message.role == "user":
                said.append(text_of(message))
                results = []
                kinds = ("images", "audio", "videos", "files")
                counts = [f"{len(getattr(message, kind))} {kind}" for kind in kinds if getattr(message, kind, None)]
                attached = f"Received {', '.join(counts)}. You said: {said[-1]}" if counts else ""
            elif message.role == "tool":
                results.append(text_of(message))
        judging = bool(said) and EVALUATION.search(said[-1]) is not None
        schema = schema_of(wanted) if FULL and self.voice is chat and not judging else None
        if schema is not None:
            text, asked = json.dumps(sample(schema, schema)), []
        elif attached and self.voice is chat:
            text, asked = attached, []
        elif FULL and self.voice is chat and "show context" in (said[-1] if said else "").lower():
            system = next((text_of(message) for message in messages if message.role == "system"), "(none)")
            text, asked = f"SYSTEM: {system} USER: {said[-1]}", []
        else:
            text, asked = self.voice(said, results)
        calls = []
        for name, arguments in asked:
            raw = json.dumps(arguments, sort_keys=True)
            # The same call in the same turn has the same id, whoever asks and however often.
            salt = hashlib.sha1(f"{name}|{raw}|{len(said)}".encode()).hexdigest()[:12]
            calls.append({"id": f"call_{salt}", "type": "function", "function": {"name": name, "arguments": raw}})
        read = sum(len(text_of(message).split()) for message in messages)
        written = max(1, len(text.split()))
        return text, calls, Usage(input_tokens=read, output_tokens=written, total_tokens=read + written)

    def _last_of(self, messages: list[Message]) -> str:
        return next((text_of(message) for message in reversed(messages) if message.role == "user"), "")

    def _pause(self, messages: list[Message]) -> float:
        """Seconds per word; by itself, only the slow agent takes any."""
        if self.voice is not count_words:
            return PACE
        found = re.search(r"delay\s*=?\s*([0-9.]+)", self._last_of(messages))
        return float(found.group(1)) if found else 0.1

    async def ainvoke(self, messages: list[Message], *_args: Any, **kwargs: Any) -> ModelResponse:
        if self.voice is fail:
            raise failure_of(self._last_of(messages))
        text, calls, usage = self._answer(messages, kwargs.get("response_format"))
        for _ in range(len(text.split()) if self._pause(messages) else 0):
            await asyncio.sleep(self._pause(messages))
        return ModelResponse(role="assistant", content=text or None, tool_calls=calls, response_usage=usage)

    async def ainvoke_stream(
        self, messages: list[Message], *_args: Any, **kwargs: Any
    ) -> AsyncIterator[ModelResponse]:
        text, calls, usage = self._answer(messages, kwargs.get("response_format"))
        yield ModelResponse(role="assistant")
        for word in re.findall(r"\S+\s*", text):
            if pause := self._pause(messages):
                await asyncio.sleep(pause)
            yield ModelResponse(content=word)
        if calls:
            yield ModelResponse(tool_calls=calls)
        yield ModelResponse(response_usage=usage)
        if self.voice is fail:
            raise failure_of(self._last_of(messages))

    # AgentOS runs everything asynchronously, but for the sums of memories; the rest of the interface is there because it
    # has to be.

    def invoke(self, messages: list[Message], *_args: Any, **_kwargs: Any) -> ModelResponse:
        text, calls, usage = self._answer(messages)
        return ModelResponse(role="assistant", content=text or None, tool_calls=calls, response_usage=usage)

    def invoke_stream(self, *_args: Any, **_kwargs: Any) -> Iterator[ModelResponse]:
        raise NotImplementedError("this AgentOS streams asynchronously only")

    def _parse_provider_response(self, response: Any, **_kwargs: Any) -> ModelResponse:
        return response

    def _parse_provider_response_delta(self, response: Any) -> ModelResponse:
        return response


def know_the_offline_model() -> None:
    """Makes `offline:ID` a model that requests can name, as `openai:gpt-4o` is one."""
    from agno.models import utils

    known = getattr(utils, "_get_model_class", None)
    if known is not None:

        def model_class(model_id: str, provider: str) -> Model:
            return OfflineModel(id=model_id) if provider == "offline" else known(model_id, provider)

        utils._get_model_class = model_class


# ---- Tools ----------------------------------------------------------------------------------------


def add(a: int, b: int) -> str:
    """Add two integers.

    Args:
        a (int): first number
        b (int): second number
    """
    return str(a + b)


def get_weather(city: str) -> str:
    """Get the (canned) weather of a city.

    Args:
        city (str): city name
    """
    return f"Sunny in {city}, 21C"


def explode(reason: str) -> str:
    """A tool that always raises.

    Args:
        reason (str): why
    """
    raise RuntimeError(f"tool exploded: {reason}")


@tool(requires_confirmation=True)
def delete_file(path: str) -> str:
    """Delete a file (pretend). Needs a human's confirmation.

    Args:
        path (str): file to delete
    """
    return f"deleted {path}"


@tool(external_execution=True)
def run_shell(command: str) -> str:
    """Run a shell command outside of the agent.

    Args:
        command (str): the command
    """
    return "never executed here"


@tool(requires_user_input=True, user_input_fields=["to"])
def send_email(subject: str, to: str) -> str:
    """Send an email (pretend); the address comes from the user.

    Args:
        subject (str): subject line
        to (str): address
    """
    return f"sent {subject!r} to {to}"


# ---- The cast -------------------------------------------------------------------------------------

FOLDER = None if os.environ.get("AGENTOS_DB") else tempfile.mkdtemp(prefix="agentos-")
db = SqliteDb(id="demo-db", db_file=os.environ.get("AGENTOS_DB") or f"{FOLDER}/agentos.db")


def remembering() -> dict[str, Any]:
    """Agent arguments that keep what users like."""
    switch = "update_memory_on_run" if "update_memory_on_run" in parameters_of(Agent.__init__) else "enable_user_memories"
    return {
        "memory_manager": MemoryManager(model=OfflineModel(voice=remember), db=db),
        "add_memories_to_context": True,
        switch: True,
    }


def needs_a_word(question: str) -> dict[str, Any]:
    """Step arguments that let a human decide; nothing before there was a way."""
    if HumanReview is not None and "human_review" in parameters_of(Step.__init__):
        return {"human_review": HumanReview(requires_confirmation=True, confirmation_message=question)}
    if "requires_confirmation" in parameters_of(Step.__init__):
        return {"requires_confirmation": True, "confirmation_message": question}
    return {}


def agent(id: str, voice: Voice, **settings: Any) -> Agent:
    return Agent(id=id, name=id.capitalize(), model=OfflineModel(voice=voice), db=db, telemetry=False, **settings)


def team(id: str, name: str, voice: Voice, members: list[Agent], **settings: Any) -> Team:
    model = OfflineModel(voice=voice)
    return Team(id=id, name=name, model=model, members=members, db=db, telemetry=False, **settings)


def shout(step_input: StepInput) -> StepOutput:
    return StepOutput(content=str(step_input.previous_step_content or "").upper())


alpha = agent("alpha", chat, role="First member")
beta = agent("beta", chat, role="Second member")
broken = agent("broken", fail)
slow = agent("slow", count_words)
guarded = Agent(
    id="guarded-member",
    name="GuardedMember",
    role="Deletes files",
    model=OfflineModel(voice=ask_a_human("delete_file")),
    tools=[delete_file],
    db=db,
    telemetry=False,
)

# With it, what a run brings along stands in its context, and its events are kept.
CONTEXT: dict[str, Any] = (
    {"add_session_state_to_context": True, "add_dependencies_to_context": True, "store_events": True} if FULL else {}
)

AGENTS = [
    agent(
        "assistant",
        chat,
        description="Plain chat agent with history",
        instructions="Be brief.",
        add_history_to_context=True,
        num_history_runs=10,
    ),
    agent("contextual", chat, session_state={"counter": 0}, **CONTEXT),
    agent("toolbox", use_tools, tools=[add, get_weather, explode], add_history_to_context=True),
    agent("confirmer", ask_a_human("delete_file"), tools=[delete_file]),
    agent("external", ask_a_human("run_shell"), tools=[run_shell]),
    agent("asker", ask_a_human("send_email"), tools=[send_email]),
    slow,
    broken,
    agent("rememberer", chat, **remembering()),
    agent("judge", verdict),
]
TEAMS = [
    team("duo", "Duo", delegate("alpha", "beta"), [alpha, beta], add_history_to_context=True),
    team("hitl-team", "HITL Team", delegate("guarded-member"), [guarded]),
    team("slow-team", "Slow Team", count_words, [alpha]),
    team("broken-team", "Broken Team", fail, [alpha]),
]
WORKFLOWS = [
    Workflow(
        id="pipeline",
        name="Pipeline",
        description="Agent step, then a function step",
        db=db,
        steps=[Step(name="draft", agent=alpha), Step(name="shout", executor=shout)],
        telemetry=False,
    ),
    Workflow(
        id="slow-flow",
        name="Slow Flow",
        db=db,
        steps=[Step(name="crawl", agent=slow), Step(name="shout", executor=shout)],
        telemetry=False,
    ),
    Workflow(
        id="broken-flow",
        name="Broken Flow",
        db=db,
        steps=[Step(name="boom", agent=broken, max_retries=0), Step(name="shout", executor=shout)],
        telemetry=False,
    ),
]

KNOWLEDGE = []
if FULL:
    from knowledge import knowledge_base

    KNOWLEDGE.append(knowledge_base(db))
    AGENTS.append(agent("librarian", look_up, knowledge=KNOWLEDGE[0], search_knowledge=True))

if question := needs_a_word("Publish the draft?"):
    # Where it was asked for, but a human has no say, the workflow would just run on: then it is not there.
    WORKFLOWS.insert(
        1,
        Workflow(
            id="gated",
            name="Gated",
            description="Second step needs a confirmation",
            db=db,
            steps=[Step(name="draft", agent=alpha), Step(name="publish", executor=shout, **question)],
            telemetry=False,
        ),
    )


def build() -> Any:
    """The ASGI application, as the environment wants it."""
    know_the_offline_model()
    extra: dict[str, Any] = {}
    takes = parameters_of(AgentOS.__init__)
    if "db" in takes:
        extra["db"] = db
    if secret := os.environ.get("AGENTOS_JWT_SECRET"):
        extra.update(authorization(secret, os.environ.get("AGENTOS_USER_ISOLATION") == "1"))
    if key := os.environ.get("OS_SECURITY_KEY"):
        extra["settings"] = AgnoAPISettings(os_security_key=key)
    if KNOWLEDGE:
        extra["knowledge"] = KNOWLEDGE
    tracing = os.environ.get("AGENTOS_TRACING", "0") == "1"
    if tracing and "tracing_db" in takes:
        extra["tracing_db"] = db
    app = AgentOS(
        id="demo-os",
        name="Demo OS",
        description="An offline AgentOS to test against",
        version="1.0.0",
        agents=AGENTS,
        teams=TEAMS,
        workflows=WORKFLOWS,
        tracing=tracing,
        telemetry=False,
        **extra,
    ).get_app()
    # Recent FastAPI traces every request by itself as soon as there is a tracer. A run is then no longer
    # the root of its trace, and agno stores it without its run, session and agent ids.
    own = getattr(app, "_telemetry", None)
    if isinstance(own, dict):
        own.update(tracing=False, metrics=False, logs=False, operation_spans=False)
    return app


def clean_up() -> None:
    if FOLDER:
        shutil.rmtree(FOLDER, ignore_errors=True)


def exit_with_stdin() -> None:
    """Ends the process, at once, when standard input is at its end."""

    def watch() -> None:
        while os.read(0, 4096):
            pass
        clean_up()
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    import uvicorn

    if "--exit-with-stdin" in sys.argv[1:]:
        exit_with_stdin()
    try:
        uvicorn.run(build(), host="127.0.0.1", port=int(os.environ["PORT"]), log_level="warning")
    finally:
        clean_up()
