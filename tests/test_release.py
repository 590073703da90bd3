"""What a release says of itself is said alike in all places."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

import sklearn_ae

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text())
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def test_the_citation_says_what_the_project_says():
    assert CITATION["version"] == sklearn_ae.__version__
    assert CITATION["license"] == PROJECT["license"]
    assert CITATION["url"] == PROJECT["urls"]["Documentation"]
    assert CITATION["repository-code"] == PROJECT["urls"]["Repository"]


def test_addresses_are_all_real_or_all_placeholders():
    assert len({"//example.org/" in url for url in PROJECT["urls"].values()}) == 1


def test_versions_of_python_are_tested_before_they_are_claimed():
    jobs = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())["jobs"]
    matrix = jobs["tests"]["strategy"]["matrix"]
    tested = {*matrix["python"], *(line["python"] for line in matrix["include"])}
    claimed = re.findall(r":: (3\.\d+)$", "\n".join(PROJECT["classifiers"]), re.M)
    assert set(claimed) <= tested
    assert PROJECT["requires-python"] == f">={min(tested, key=minor)}"


def minor(version):
    return int(version.partition(".")[2])


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_have_no_more_rights_than_they_need(path):
    workflow = yaml.safe_load(path.read_text())
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        assert set(job.get("permissions", {})) <= {"pages", "id-token"}


def test_the_package_is_typed():
    assert (Path(sklearn_ae.__file__).parent / "py.typed").exists()


def test_what_tests_need_is_in_the_sdist():
    text = (ROOT / "pyproject.toml").read_text()
    listed = tomllib.loads(text)["tool"]["hatch"]["build"]["targets"]["sdist"]
    for name in listed["include"]:
        assert (ROOT / name.lstrip("/")).exists(), name
