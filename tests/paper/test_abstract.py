"""The graphical abstract shows the numbers of the build, or says that there are none."""

import matplotlib.pyplot as plt
import pytest
import yaml

from swta.paper.abstract import TITLES, draw_abstract, show_abstract, write_captions
from swta.paper.paths import book_root
from swta.paper.record import Record, Reported

TEMPLATES = book_root() / "book" / "abstract.yaml"


def test_numbers_come_from_the_records(tmp_path):
    templates = tmp_path / "lines.yaml"
    templates.write_text(yaml.safe_dump(["x{01_one/a:.1f} {01_one/b:.0%}", "{02_two/c}", "plain"]))
    Record("01_one", {"a": Reported(1.26), "b": Reported(0.5)}).write(tmp_path)
    assert write_captions(templates, tmp_path) == ["x1.3 50%", "not measured at this size", "plain"]


def test_the_committed_lines_name_numbers_that_chapters_report():
    lines = yaml.safe_load(TEMPLATES.read_text())
    assert len(lines) == len(TITLES)
    for line in lines:
        for part in line.split("{")[1:]:
            chapter, _, name = part.split("}")[0].split(":")[0].partition("/")
            assert f'"{name}"' in (book_root() / "book" / f"{chapter}.md").read_text(), line


@pytest.mark.parametrize("text", ["a: 1", "- 1", "text"])
def test_other_lines_are_refused(tmp_path, text):
    (tmp_path / "lines.yaml").write_text(text)
    with pytest.raises(ValueError, match="list of texts"):
        write_captions(tmp_path / "lines.yaml", tmp_path)


def test_five_drawings_with_their_lines():
    captions = [f"line {n}" for n in range(len(TITLES))]
    figure = draw_abstract(captions)
    shown = [text.get_text() for ax in figure.axes for text in ax.texts]
    assert [ax.get_title() for ax in figure.axes] == list(TITLES)
    assert set(captions) <= set(shown)
    plt.close(figure)
    shown = show_abstract([*captions[:-1], "<b>"]).data
    assert "A memory: line 3; Before a transformer: &lt;b&gt;." in shown
    with pytest.raises(ValueError, match="1 captions"):
        draw_abstract(captions[:1])
