"""scripts/images.sh: names, tags and options, with an engine that only records how it is called."""

import os
import shutil
import subprocess

import manifests
import pytest
import yaml

COMMIT = "0123456789abcdef0123456789abcdef01234567"
DIGEST, OTHER = 64 * "a", 64 * "b"


@pytest.fixture(params=["podman", "docker"])
def engine(request, tmp_path):
    """A folder for PATH with the one engine."""
    program = tmp_path / "bin" / request.param
    program.parent.mkdir()
    program.write_text(
        f"""#!/bin/sh
echo "$@" >>{tmp_path}/calls
eval image=\\${{$#}}
[ "$1" != image ] || printf '%s\\n' elsewhere/x@sha256:{OTHER} "${{image%:*}}@sha256:{DIGEST}"
[ "$1" != pull ] || [ ! -e {tmp_path}/no-such-image ]
"""
    )
    program.chmod(0o755)
    return program


@pytest.fixture
def repository(tmp_path):
    """The files that the script looks at, committed."""
    folder = tmp_path / "repository"
    (folder / "scripts").mkdir(parents=True)
    shutil.copy(manifests.ROOT / "scripts/images.sh", folder / "scripts")
    shutil.copytree(manifests.ROOT / "k8s", folder / "k8s")
    for service in manifests.SERVICES:
        shutil.copy(manifests.ROOT / f"Dockerfile.{service}", folder)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "x"]):
        subprocess.run([*git, *arguments], cwd=folder, check=True)
    return folder


def commit_of(folder):
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def call(repository, verb, engine=None, **environment):
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    if engine:
        environment["ENGINE"] = engine.name
        kept["PATH"] = f"{engine.parent}:{kept['PATH']}"
    return subprocess.run(
        ["scripts/images.sh", verb], cwd=repository, env=kept | environment,
        capture_output=True, text=True, check=False,
    )


def calls(engine):
    return [line.split() for line in (engine.parents[1] / "calls").read_text().splitlines()]


def test_images_are_tagged_latest_and_with_the_commit(repository, engine):
    done = call(repository, "build", engine, REGISTRY="docker.io/me/")
    assert done.returncode == 0, done.stderr
    tags = [words[i + 1] for words in calls(engine) for i, word in enumerate(words) if word == "-t"]
    commit = commit_of(repository)
    assert tags == [
        f"docker.io/me/{service}-service:{tag}" for service in manifests.SERVICES for tag in (commit, "latest")
    ]
    for words in calls(engine):
        assert f"VERSION={commit}" in words
    symbols = [words for words in calls(engine) if "symbols" in words]
    assert len(symbols) == len(manifests.SERVICES)


def test_files_get_the_commits_time(repository, engine):
    call(repository, "build", engine)
    done = subprocess.run(
        ["git", "log", "-1", "--format=%ct"], cwd=repository, capture_output=True, text=True, check=True
    )
    time = done.stdout.strip()
    for words in calls(engine):
        assert f"SOURCE_DATE_EPOCH={time}" in words
        assert ("--timestamp" in words) == (engine.name == "podman")


def test_a_changed_tree_is_no_commits(repository, engine):
    with open(repository / "Dockerfile.cart", "a") as file:
        file.write("# x\n")
    call(repository, "build", engine)
    assert f"localhost/cart-service:{commit_of(repository)}-dirty" in sum(calls(engine), [])
    done = call(repository, "deploy", REGISTRY="docker.io/me")
    assert done.returncode != 0 and "no commit" in done.stderr


def test_both_tags_are_pushed(repository, engine):
    done = call(repository, "push", engine, REGISTRY="docker.io/me")
    assert done.returncode == 0, done.stderr
    assert calls(engine) == [
        ["push", f"docker.io/me/{service}-service:{tag}"]
        for service in manifests.SERVICES
        for tag in (commit_of(repository), "latest")
    ]


@pytest.mark.parametrize("verb", ["push", "deploy"])
def test_a_registry_has_to_be_named(repository, verb):
    done = call(repository, verb)
    assert done.returncode != 0 and "REGISTRY" in done.stderr


def test_no_engine_is_an_error(repository):
    done = call(repository, "build", ENGINE="no-such-engine")
    assert done.returncode != 0 and "neither docker nor podman" in done.stderr


def test_what_is_not_in_the_registry_is_not_deployed(repository, engine, tmp_path):
    (tmp_path / "no-such-image").touch()
    done = call(repository, "deploy", engine, REGISTRY="registry.example/me", VERSION=COMMIT)
    assert done.returncode != 0
    assert f"registry.example/me/product-service:{COMMIT} is not in the registry" in done.stderr
    status = subprocess.run(["git", "status", "--porcelain"], cwd=repository, capture_output=True, check=True)
    assert status.stdout == b""


def test_a_deployment_is_a_change_of_one_file(repository, engine):
    """Doing it twice changes nothing more."""
    for _ in range(2):
        done = call(repository, "deploy", engine, REGISTRY="registry.example/me", VERSION=COMMIT)
    assert done.returncode == 0, done.stderr
    changed = subprocess.run(
        ["git", "status", "--porcelain"], cwd=repository, capture_output=True, text=True, check=True
    )
    assert changed.stdout == " M k8s/images/kustomization.yaml\n"
    rendered = subprocess.run(
        [manifests.kubectl(), "kustomize", "k8s/overlays/production"],
        cwd=repository, capture_output=True, text=True, check=True,
    )
    images = {
        container["image"]
        for document in yaml.safe_load_all(rendered.stdout)
        if document["kind"] == "Deployment"
        for container in manifests.pod(document)["containers"]
    }
    assert images == {
        f"registry.example/me/{service}-service:{COMMIT}@sha256:{DIGEST}" for service in manifests.SERVICES
    }
