"""The workflow: what starts it, what it may do, and that nothing in it changes by itself."""

import copy
import os
import re
import subprocess

import manifests
import pytest
import yaml

TEXT = (manifests.ROOT / ".github/workflows/ci-cd.yml").read_text()
WORKFLOW = next(manifests.parse(TEXT))
JOBS = WORKFLOW["jobs"]
# YAML 1.1 reads the key "on" as true.
TRIGGERS = WORKFLOW[True]


def test_triggers():
    assert TRIGGERS == {
        "push": {"branches": ["main", "develop"]},
        "pull_request": {"branches": ["main"]},
    }


def test_permissions_are_least():
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert not [name for name, job in JOBS.items() if "permissions" in job]


def test_a_later_push_cancels_pull_requests_only():
    """Any commit of a branch is deployed, even if another followed at once."""
    group = WORKFLOW["concurrency"]["group"]
    assert "${{ github.event_name == 'push' && github.sha || github.ref }}" in group
    assert WORKFLOW["concurrency"]["cancel-in-progress"] is True


def test_actions_are_pinned():
    used = re.findall(r"uses: (\S+)(.*)", TEXT)
    assert used
    for action, comment in used:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action), action
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment), action
    pins = dict(action.split("@") for action, _ in used)
    assert len({action for action, _ in used}) == len(pins), "one version of each"


def test_stages_follow_each_other():
    assert JOBS["build"]["needs"] == ["test", "coverage"]
    assert JOBS["push"]["needs"] == "build"
    assert JOBS["manifests"]["needs"] == ["build", "push"]
    assert set(JOBS["test"]["strategy"]["matrix"]["task"]) == {"test", "lint", "sanitize"}


@pytest.mark.parametrize("job", ["build", "push"])
def test_every_service_is_built(job):
    assert JOBS[job]["strategy"]["matrix"]["service"] == list(manifests.SERVICES)


def test_pull_requests_see_no_secret_and_push_nothing():
    for name, job in JOBS.items():
        uses_secrets = "secrets." in yaml.safe_dump(job)
        assert uses_secrets == (name == "push")
    assert JOBS["push"]["if"] == "github.event_name == 'push'"


def step(job, name):
    (found,) = [step for step in JOBS[job]["steps"] if step.get("name") == name]
    return found


def run_push(tmp_path, branch):
    """What the step asks skopeo for, one line a call; the token as it came in."""
    skopeo = tmp_path / "skopeo"
    skopeo.write_text('#!/bin/sh\necho "$@" >>calls\n[ "$1" != login ] || cat >>token\necho sha256:0 >digest\n')
    skopeo.chmod(0o755)
    subprocess.run(
        ["bash", "-euo", "pipefail", "-c", step("push", "Push what was tested")["run"]],
        env={
            "PATH": f"{tmp_path}:{os.environ['PATH']}",
            "GITHUB_SHA": "c0ffee",
            "GITHUB_REF_NAME": branch,
            "GITHUB_STEP_SUMMARY": "summary",
            "REGISTRY_USER": "me",
            "REGISTRY_PASSWORD": "secret",
            "IMAGE": "docker.io/me/cart-service",
        },
        cwd=tmp_path,
        check=True,
    )
    assert (tmp_path / "token").read_text() == "secret\n"
    assert (tmp_path / "summary").read_text() == "docker.io/me/cart-service@sha256:0\n"
    login, *copies = (tmp_path / "calls").read_text().splitlines()
    assert login == "login docker.io --username me --password-stdin"
    return copies


@pytest.mark.parametrize(("branch", "tags"), [("main", ["c0ffee", "latest"]), ("develop", ["c0ffee"])])
def test_what_was_tested_is_pushed(tmp_path, branch, tags):
    """The very file, with its attestations and digests. Every commit has its own tag, and "latest" is
    what is on main: a push to develop must not move that."""
    copy = "copy --all --preserve-digests --digestfile digest oci-archive:image.tar"
    assert run_push(tmp_path, branch) == [f"{copy} docker://docker.io/me/cart-service:{tag}" for tag in tags]
    build = JOBS["build"]["steps"]
    built = next(step["with"] for step in build if "outputs" in step.get("with", {}))
    assert built["outputs"] == "type=oci,dest=image.tar,rewrite-timestamp=true"
    assert built["sbom"] is True and built["provenance"] == "mode=max"
    assert step("build", "It starts, and gets healthy")["run"].startswith("skopeo copy oci-archive:image.tar ")
    uploaded = next(s["with"] for s in build if s.get("with", {}).get("path") == "image.tar")
    assert uploaded["name"] == JOBS["push"]["steps"][0]["with"]["name"] == "image-${{ matrix.service }}"


def test_the_image_is_started_with_a_choice():
    """It has no default of AUTH, and does not start without."""
    assert " --env AUTH=off " in step("build", "It starts, and gets healthy")["run"]


def commands():
    """Every shell command of every job, with each value of the job's matrix."""
    for job in JOBS.values():
        matrix = job.get("strategy", {}).get("matrix", {"": [""]})
        (key, values), = matrix.items()
        for step in job["steps"]:
            for value in values:
                yield step.get("run", "").replace(f"${{{{ matrix.{key} }}}}", value)


def test_every_manifest_is_validated():
    command = next(step["run"] for step in JOBS["manifests"]["steps"] if "kubeconform" in step.get("name", ""))
    for name in (*(f"k8s/overlays/{o}" for o in manifests.OVERLAYS), "argocd", *manifests.WATCHING):
        assert re.search(rf"(?<!\S){name}[;\s]", command), name
    assert all(name in command for name in manifests.INGRESS_FILES)
    assert "-strict" in command.split()


def test_make_targets_exist():
    makefile = (manifests.ROOT / "Makefile").read_text()
    targets = {name for command in commands() for name in re.findall(r"\bmake ([a-z-]+)", command)}
    # "install … make npm" is no call.
    targets -= {"npm"}
    assert targets == {"test", "lint", "sanitize", "coverage", "test-deploy"}
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.M), target


def test_nightly():
    """Everything that a push does not wait for, with no more permissions than the push workflow."""
    nightly = next(manifests.parse((manifests.ROOT / ".github/workflows/nightly.yml").read_text()))
    assert set(nightly[True]) == {"schedule", "workflow_dispatch"}
    assert nightly["permissions"] == WORKFLOW["permissions"]
    (job,) = nightly["jobs"].values()
    assert job["container"] == JOBS["test"]["container"] and job["env"] == JOBS["test"]["env"]
    assert job["steps"][-1] == {"run": "make test-all"}
    steps = copy.deepcopy(JOBS["test"]["steps"][:-1])
    # The proof of upgrades builds an older commit.
    steps[1]["with"]["fetch-depth"] = 0
    assert job["steps"][:-1] == steps
    makefile = (manifests.ROOT / "Makefile").read_text()
    assert re.search(r"^test-all: test$", makefile, re.M)


def test_every_job_ends():
    assert all(job["timeout-minutes"] <= 60 for job in JOBS.values())
