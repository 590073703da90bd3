"""What README and guide tell users to paste works, block after block."""

import ast
import builtins
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\(((?!https?:)[^)#]+)")
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
PAGES = {
    str(page.relative_to(ROOT)): blocks
    for page in PAGES
    if "_build" not in page.parts and (blocks := BLOCK.findall(page.read_text()))
}


@pytest.mark.parametrize("page", PAGES)
def test_blocks_run_as_pasted(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace = {"__name__": "__main__"}
    for number, block in enumerate(PAGES[page], 1):
        exec(compile(block, f"{page}, block {number}", "exec"), namespace)


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "SECURITY.md"])
def test_links_of_pages_outside_the_documentation_lead_somewhere(name):
    """Sphinx looks after those inside."""
    missing = [
        link
        for link in LINK.findall((ROOT / name).read_text())
        if not (ROOT / link).exists()
    ]
    assert missing == []


@pytest.mark.parametrize("number", range(len(PAGES["README.md"])))
def test_blocks_of_the_readme_stand_alone(number):
    """A name that a block uses is a builtin or one that it has made."""
    tree = ast.parse(PAGES["README.md"][number])
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    made = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            made |= {alias.asname or alias.name for alias in node.names}
    assert {node.id for node in names} <= made | set(dir(builtins))
