"""What the docs and the example have other programs run: it is well-formed, and its commands are such as there are."""

from __future__ import annotations

import importlib
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

ROOT = Path(__file__).parents[2]
CI = ROOT / "docs" / "ci.md"
EXAMPLE = ROOT / "examples" / "lstm"
HOOKS = ROOT / ".pre-commit-hooks.yaml"
WORKFLOWS = (ROOT / ".github/workflows/ci.yml", EXAMPLE / ".github/workflows/gradients.yml")

# https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax; `on` is true to a YAML 1.1 reader
WORKFLOW = {"name", True, "permissions", "jobs", "concurrency"}
JOB = {"name", "runs-on", "timeout-minutes", "steps", "strategy", "needs", "if", "env"}
STEP = {"name", "if", "uses", "with", "run", "env", "continue-on-error"}
INPUTS = {
    "actions/checkout": {"fetch-depth"},
    "actions/setup-python": {"python-version", "cache", "cache-dependency-path"},
    "actions/upload-artifact": {"name", "path", "if-no-files-found", "include-hidden-files", "retention-days"},
}
# https://pre-commit.com/#creating-new-hooks and #repos-hooks
REQUIRED = {"id", "name", "entry", "language"}
HOOK = REQUIRED | {"description", "files", "exclude", "types", "types_or", "args", "pass_filenames", "always_run"}


def fences(language: str) -> list[str]:
    """Return the pieces of docs/ci.md in a language."""
    pieces = re.findall(r"^```(\w*)\n(.*?)^```$", CI.read_text(encoding="utf-8"), re.S | re.M)
    return [text for of, text in pieces if of == language]


def of_kind(key: Any) -> list[Any]:
    """Return what the YAML in docs/ci.md holds: those pieces that have a key."""
    pieces = [yaml.safe_load(text) for text in fences("yaml")]
    return [piece for piece in pieces if isinstance(piece, dict) and key in piece]


def workflows() -> list[Any]:
    return [yaml.safe_load(path.read_text(encoding="utf-8")) for path in WORKFLOWS] + of_kind("jobs")


def steps(workflow: Any) -> Iterator[Any]:
    for job in workflow["jobs"].values():
        yield from job["steps"]


def hooks() -> list[Any]:
    configs = [yaml.safe_load((EXAMPLE / ".pre-commit-config.yaml").read_text(encoding="utf-8")), *of_kind("repos")]
    return [hook for config in configs for repo in config["repos"] for hook in repo["hooks"]]


def manifest() -> dict[str, Any]:
    return {hook["id"]: hook for hook in yaml.safe_load(HOOKS.read_text(encoding="utf-8"))}


def scripts() -> list[str]:
    """Return all that a shell runs: steps of workflows, GitLab's jobs, entries of hooks, and what docs/ci.md types."""
    found = [step["run"] for workflow in workflows() for step in steps(workflow) if "run" in step]
    found += [line for piece in of_kind("gradients") for line in piece["gradients"]["script"]]
    found += [shlex.join((*shlex.split(entry_of(hook)), *hook.get("args", ()))) for hook in hooks()]
    found += [line[2:] for text in fences("") for line in text.splitlines() if line.startswith("$ ")]
    return found + fences("sh")


def entry_of(hook: Any) -> str:
    return str(hook.get("entry") or manifest()[hook["id"]]["entry"])


def commands(program: str) -> set[tuple[str, ...]]:
    """Return the commands of a program in all scripts, without what a shell does with their output."""
    text = re.sub(r"\$\{\{.*?\}\}", "7", "\n".join(scripts()))  # GitHub's own expressions
    lines = text.replace("\\\n", " ").splitlines()
    words = [shlex.split(re.split(r" [>|]+ | && ", line.strip())[0], comments=True) for line in lines]
    return {tuple(line[1:]) for line in words if line[:1] == [program]}


@pytest.mark.parametrize("workflow", workflows())
def test_a_workflow_is_one(workflow: Any) -> None:
    assert set(workflow) <= WORKFLOW
    assert {"name", True, "jobs"} <= set(workflow)
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        assert {"runs-on", "timeout-minutes", "steps"} <= set(job) <= JOB
    for step in steps(workflow):
        assert set(step) <= STEP
        assert len({"uses", "run"} & set(step)) == 1
        if "uses" in step:
            action, _, version = step["uses"].partition("@")
            assert version.startswith("v")
            assert set(step.get("with", {})) <= INPUTS[action]


def test_what_is_hidden_is_uploaded_only_if_that_is_said() -> None:
    uploads = [step["with"] for of in workflows() for step in steps(of) if "upload-artifact" in step.get("uses", "")]
    assert [with_ for with_ in uploads if ".crosscheck" in with_["path"]]
    assert all(with_.get("include-hidden-files") for with_ in uploads if ".crosscheck" in with_["path"])


@pytest.mark.parametrize("hook", [*manifest().values(), *hooks()])
def test_a_hook_is_one(hook: Any) -> None:
    local = hook["id"] not in manifest() or "entry" in hook
    assert set(hook) <= HOOK
    assert "id" in hook
    assert not local or set(hook) >= REQUIRED
    if local:
        assert hook["language"] in ("system", "python")
        assert hook["pass_filenames"] is False  # its arguments are a set and a target, not the files that changed
        re.compile(hook["files"])


def test_the_ids_of_hooks() -> None:
    assert set(manifest()) == {"crosscheck-golden", "crosscheck-golden-lint"}


@pytest.mark.parametrize("arguments", sorted(commands("crosscheck")), ids=" ".join)
def test_a_command_of_ours_is_one(arguments: tuple[str, ...]) -> None:
    name, *rest = arguments
    command: click.Command = importlib.import_module(f"crosscheck.commands.{name}").command
    while isinstance(command, click.Group):
        _, found, rest = command.resolve_command(click.Context(command), rest)
        assert found is not None, name
        command = found
    command.make_context(name, list(rest))  # parses all options, and runs nothing


def test_every_way_is_documented() -> None:
    assert {arguments[:1] for arguments in commands("crosscheck")} >= {("run",), ("golden",), ("replay",)}
    assert commands("pytest")


def test_the_hooks_of_this_repository_run_in_a_project() -> None:
    """As pre-commit does it: the entry, and then the arguments, which docs/ci.md gives."""
    uses = [hook for hook in hooks() if "entry" not in hook]
    assert {hook["id"] for hook in uses} == set(manifest())
    for hook in uses:
        command = [*shlex.split(entry_of(hook)), *hook["args"]]
        command[0] = str(Path(sys.executable).with_name(command[0]))
        done = subprocess.run(command, cwd=EXAMPLE, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
