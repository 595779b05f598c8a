"""The site builds strictly, and a page of it asks no network for anything."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_site_builds_without_a_warning_and_without_a_network(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", ROOT / "docs", tmp_path / "site",
         "-d", tmp_path / "trees"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    pages = list((tmp_path / "site").rglob("*.html"))
    assert len(pages) > 30
    index = (tmp_path / "site" / "searchindex.js").read_text(encoding="utf-8")
    assert (tmp_path / "site" / "search.html").is_file()
    assert all(f'"guides/{page.stem}"' in index for page in (ROOT / "docs" / "guides").glob("*.md"))
    for page in pages:
        text = page.read_text(encoding="utf-8")
        fetched = re.findall(r"<(?:script|link|img|iframe)[^>]*(?:src|href)=\"(https?:[^\"]+)\"", text)
        assert not fetched, f"{page.name} fetches {fetched}"
    styles = "".join(path.read_text(encoding="utf-8") for path in (tmp_path / "site").rglob("*.css"))
    assert not re.findall(r"url\(['\"]?https?:|@import ['\"]?https?:", styles)
