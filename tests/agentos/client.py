"""agno's own AgentOSClient against any AgentOS: every method that it has, once or more.

    python client.py http://127.0.0.1:7777

Prints one line of JSON for each call: its name, and what came of it as the client understood it, with the classes of
the objects that it made. Two servers that behave alike print the same lines, ids and times aside. The last line tells
the methods that were not called: none.
"""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import inspect
import json
import logging
import sys
import time
from enum import Enum
from typing import Any

import httpx
from agno.client import AgentOSClient
from agno.db.base import SessionType
from agno.db.schemas.evals import EvalType
from agno.media import Audio, File, Image, Video
from agno.os.routers.traces.schemas import TraceSearchGroupBy
from pydantic import BaseModel

client = AgentOSClient(sys.argv[1], timeout=60)
called: set[str] = set()

# What it says of events that it does not know is no answer.
logging.disable(logging.CRITICAL)


def plain(value: Any) -> Any:
    """A value as JSON, with the class of every object."""
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    if isinstance(value, dict):
        return {str(name): plain(entry) for name, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    if isinstance(value, type):
        return value.__name__
    if isinstance(value, bytes):
        return "base64:" + base64.b64encode(value).decode()
    if isinstance(value, BaseModel):
        fields = {name: getattr(value, name) for name in type(value).model_fields}
    elif dataclasses.is_dataclass(value):
        fields = {field.name: getattr(value, field.name, None) for field in dataclasses.fields(value)}
    elif hasattr(value, "isoformat"):
        return value.isoformat()
    else:
        fields = dict(vars(value))
    return {"class": type(value).__name__} | {name: plain(entry) for name, entry in fields.items()}


def show(name: str, /, **what: Any) -> None:
    print(json.dumps({"call": name} | what), flush=True)


async def call(name: str, /, *args: Any, **kwargs: Any) -> Any:
    """Calls a method and shows what came of it: an object, the events of a stream, or an exception."""
    called.add(name)
    try:
        result = getattr(client, name)(*args, **kwargs)
        if inspect.isasyncgen(result):
            result = [event async for event in result]
        elif inspect.isawaitable(result):
            result = await result
    except httpx.HTTPStatusError as error:
        body = error.response.text if error.response.is_closed and error.response.is_stream_consumed else None
        show(name, raised="HTTPStatusError", status=error.response.status_code, body=body)
        return None
    except Exception as error:
        show(name, raised=type(error).__name__, text=str(error))
        return None
    show(name, returned=plain(result))
    return result


async def until(name: str, /, *args: Any, wanted: str) -> None:
    """Calls a method until the status is what is wanted, and shows the last answer."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        found = await getattr(client, name)(*args)
        if str(plain(found.status)) == wanted:
            break
        await asyncio.sleep(0.05)
    await call(name, *args)


async def discovery() -> None:
    await call("get_config")
    await call("aget_config")
    await call("list_agents")
    await call("list_teams")
    await call("list_workflows")
    for kind, known in (("agent", "assistant"), ("team", "duo"), ("workflow", "gated")):
        for id in (known, "nope"):
            await call(f"get_{kind}", id)
            await call(f"aget_{kind}", id)
    await call("migrate_database", "demo-db")
    await call("migrate_database", "nope")


async def runs() -> None:
    await call("run_agent", "assistant", "My name is Ann", session_id="c-a", user_id="c-ann", run_id="c-a-1")
    await call("run_agent_stream", "assistant", "What's my name?", session_id="c-a", user_id="c-ann")
    await call("run_agent", "assistant", "hi", session_id="c-a", user_id="somebody else")
    await call("run_agent", "nope", "hi")
    await call("run_agent_stream", "nope", "hi")
    await call("run_agent", "toolbox", "add 2 and 3", session_id="c-t")
    await call("run_agent_stream", "toolbox", "add 2 and 3", session_id="c-t")
    await call("run_agent", "broken", "go", session_id="c-b")
    await call("run_agent_stream", "broken", "go", session_id="c-b")
    extras = {"session_state": {"counter": 2}, "dependencies": {"who": "Ann"}, "metadata": {"m": 1}}
    await call("run_agent", "contextual", "show context", session_id="c-c", run_id="c-c-1", **extras)
    schema = {"title": "Movie", "type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]}
    await call("run_agent", "assistant", "a film", output_schema=schema)
    await call("run_agent_stream", "assistant", "a film", output_schema=schema)
    media = {
        "images": [Image(content=b"pixels", id="one")],
        "audio": [Audio(content=b"sounds", format="wav", id="two")],
        "videos": [Video(url="http://127.0.0.1:9/x.mp4", id="three")],
        "files": [File(content=b"letters", mime_type="text/plain", filename="a.txt", id="four")],
    }
    await call("run_agent", "assistant", "look", session_id="c-m", **media)
    await call("cancel_agent_run", "assistant", "c-nope")
    await call("run_team", "duo", "Hello", session_id="c-d", user_id="c-ann")
    await call("run_team_stream", "duo", "Hello", session_id="c-d", user_id="c-ann")
    await call("run_team", "broken-team", "go")
    await call("cancel_team_run", "duo", "c-nope")
    await call("run_workflow", "pipeline", "hello", session_id="c-w")
    await call("run_workflow_stream", "pipeline", "hello", session_id="c-w")
    await call("run_workflow", "broken-flow", "go")
    await call("cancel_workflow_run", "pipeline", "c-nope")
    await call("run_workflow", "nope", "hello")


async def decisions() -> None:
    for agent, message, decide in (
        ("confirmer", "delete a.txt", lambda tool: setattr(tool, "confirmed", True)),
        ("confirmer", "delete a.txt", lambda tool: setattr(tool, "confirmed", False)),
        ("external", "run uptime", lambda tool: setattr(tool, "result", "up 3 days")),
        ("asker", "send an email", lambda tool: tool.user_input_schema[1].__setitem__("value", "ann@example.com")),
    ):
        for method in ("continue_agent_run", "continue_agent_run_stream"):
            run = await call("run_agent", agent, message, session_id="c-h")
            for tool in run.tools:
                schema = tool.user_input_schema
                if schema and not isinstance(schema[0], dict):
                    schema[1].value = "ann@example.com"
                else:
                    decide(tool)
            await call(method, agent, run.run_id, run.tools, session_id="c-h")
    await call("continue_agent_run", "confirmer", "c-nope", [], session_id="c-h")
    await call("continue_agent_run_stream", "confirmer", "c-nope", [], session_id="c-h")
    for method in ("continue_team_run", "continue_team_run_stream"):
        run = await call("run_team", "hitl-team", "delete a.txt", session_id="c-ht")
        for requirement in run.requirements:
            requirement.tool_execution.confirmed = True
        await call(method, "hitl-team", run.run_id, run.requirements, session_id="c-ht")
    for method in ("continue_workflow_run", "continue_workflow_run_stream"):
        run = await call("run_workflow", "gated", "news", session_id="c-hw")
        decided = [{"step_id": step.step_id, "confirmed": True} for step in run.step_requirements]
        await call(method, "gated", run.run_id, decided, session_id="c-hw")


async def sessions() -> None:
    for kind, component in (("agent", "assistant"), ("team", "duo"), ("workflow", "pipeline")):
        own = {f"{kind}_id": component, "user_id": "c-ben", "session_name": f"Own {kind}"}
        await call("create_session", SessionType(kind), session_id=f"c-s-{kind}", session_state={"a": 1}, **own)
        await call("get_session", f"c-s-{kind}", SessionType(kind))
    await call("create_session", SessionType.AGENT, session_id="c-s-agent")
    await call("get_sessions", user_id="c-ben", sort_by="session_id")
    await call("get_sessions", session_type=SessionType.TEAM, user_id="c-ben", session_name="own", limit=1)
    await call("get_sessions", component_id="pipeline", user_id="c-ben", sort_by="session_id", sort_order="asc")
    for session, kind in (("c-a", "agent"), ("c-d", "team"), ("c-w", "workflow"), ("c-nope", "agent")):
        await call("get_session", session, SessionType(kind))
        await call("get_session_runs", session, SessionType(kind))
        await call("get_session_run_previews", session, SessionType(kind))
        await call("aget_session_run_previews", session, SessionType(kind), status=["COMPLETED"])
    await call("get_session_run", "c-a", "c-a-1")
    await call("get_session_run", "c-a", "c-nope")
    await call("get_session_runs", "c-b", SessionType.AGENT, status=["ERROR"])
    await call("get_session_runs", "c-b", SessionType.AGENT, status=["wrong"])
    await call("rename_session", "c-s-agent", "Renamed", SessionType.AGENT)
    await call("rename_session", "c-nope", "Renamed", SessionType.AGENT)
    await call("update_session", "c-s-team", SessionType.TEAM, session_state={"b": 2}, metadata={"m": [1]})
    await call("update_session", "c-s-agent", SessionType.AGENT, summary={"summary": "A talk."})
    await call("delete_session", "c-s-agent")
    await call("delete_session", "c-s-agent")
    await call("get_session", "c-s-agent", SessionType.AGENT)
    kinds = [SessionType.TEAM, SessionType.WORKFLOW]
    await call("delete_sessions", ["c-s-team", "c-s-workflow"], kinds)
    await call("delete_sessions", ["c-s-team"], kinds)
    await call("get_sessions", user_id="c-ben")


async def memories() -> None:
    one = await call("create_memory", "Likes tea", "c-mem", ["drinks"])
    two = await call("create_memory", "Has a dog", "c-mem")
    await call("get_memory", one.memory_id)
    await call("get_memory", one.memory_id, user_id="other")
    await call("list_memories", user_id="c-mem", topics=["drinks"])
    await call("list_memories", user_id="c-mem", search_content="dog", limit=1)
    await call("update_memory", one.memory_id, "Likes coffee", "c-mem", ["drinks", "taste"])
    await call("get_memory_topics", user_id="c-mem")
    await call("get_user_memory_stats", user_id="c-mem")
    await call("optimize_memories", "c-nobody")
    await call("delete_memory", one.memory_id)
    await call("get_memory", one.memory_id)
    await call("delete_memories", [two.memory_id], user_id="c-mem")
    await call("list_memories", user_id="c-mem")


async def knowledge() -> None:
    note = await call("upload_knowledge_content", name="C note", text_content="Otters hold hands.", metadata={"t": "o"})
    await until("get_knowledge_content_status", note.id, wanted="completed")
    file = File(content=b"Moles dig.", filename="moles.txt", mime_type="text/plain")
    moles = await call("upload_knowledge_content", file=file)
    await until("get_knowledge_content_status", moles.id, wanted="completed")
    await call("upload_knowledge_content", name="nothing")
    await call("list_knowledge_content", sort_by="name", sort_order="asc")
    await call("get_knowledge_content", note.id)
    await call("search_knowledge", "otters", max_results=3, limit=2)
    await call("search_knowledge", "otters", filters={"t": "x"})
    await call("run_agent", "librarian", "otters?", session_id="c-lib")
    await call("update_knowledge_content", note.id, name="Other note", metadata={"t": "p"})
    await call("delete_knowledge_content", moles.id)
    await call("delete_knowledge_content", "c-nope")
    await call("get_knowledge_content", "c-nope")
    await call("get_knowledge_config")
    await call("delete_all_knowledge_content")
    await call("list_knowledge_content")


async def observed() -> None:
    traces = await call("get_traces", session_id="c-t")
    trace = await call("get_trace", traces.data[0].trace_id)
    await call("get_trace", trace.trace_id, span_id=trace.tree[0].spans[0].id)
    await call("get_trace", "c-nope")
    await call("get_trace_session_stats", user_id="c-ann")
    expression = {"op": "EQ", "key": "run_id", "value": "c-a-1"}
    await call("search_traces", expression)
    await call("search_traces", expression, group_by=TraceSearchGroupBy.SESSION)
    await call("search_traces", {"op": "WRONG"})
    await call("refresh_metrics")
    await call("get_metrics")
    await call("refresh_metrics", background=True)
    await until("get_metrics_refresh_status", wanted="completed")
    asked = {"agent_id": "toolbox", "input_text": "add 1 and 2"}
    run = await call("run_eval", EvalType.RELIABILITY, expected_tool_calls=["add"], **asked)
    await call("run_eval", EvalType.PERFORMANCE, num_iterations=2, **asked)
    await call("run_eval", EvalType.ACCURACY, expected_output="3", **asked)
    await call("get_eval_run", run.id)
    await call("get_eval_run", "c-nope")
    await call("update_eval_run", run.id, "c-name")
    await call("list_eval_runs", agent_id="toolbox", eval_types=[EvalType.RELIABILITY])
    await call("delete_eval_runs", [run.id])
    await call("get_eval_run", run.id)


async def main() -> None:
    for part in (discovery, runs, decisions, sessions, memories, knowledge, observed):
        await part()
    public = inspect.getmembers(AgentOSClient, inspect.isfunction)
    show("(not called)", returned=sorted(name for name, _ in public if not name.startswith("_") and name not in called))


asyncio.run(main())
