"""A selection that comes from a file: as a whole, or not at all."""

from __future__ import annotations

import pytest

from mkdyn import Entity, NewField, Pick, picks_to_toml
from mkdyn.errors import FieldError
from tests.unit.engine.world import World

pytestmark = pytest.mark.anyio

FAULTY = """\
[[field]]
entity = "lead"
dynamics = "jobtitel"
marketo = "title"

[[field]]
entity = "lead"
dynamics = "telephone1"
marketo = "phone"
direction = "up"

[[field]]
entity = "lead"
dynamics = "telephone2"
marketo = "phone"
create = ""

[entity.new_unused]

[[field]]
entity = "lead"
dynamics = "mobilephone"
marketo = "phone"
"""


async def test_a_selection_file_is_told_all_its_faults_at_once() -> None:
    """Those that can be read in it, and those that only the systems know; in the order of its lines."""
    world = await World.of(Entity.LEAD)
    before = await world.sync.fields.selected()
    for load in (world.sync.fields.diff, world.sync.fields.replace):
        with pytest.raises(FieldError) as caught:
            await load(FAULTY)
        assert [(fault.line, str(fault).partition(": ")[2].partition(",")[0]) for fault in caught.value.faults] == [
            (1, "lead.jobtitel is not in Dynamics (nearest: jobtitle)"),
            (6, "direction up is not known. Take one of both"),
            (12, 'create is empty. Write create = "…"'),
            (18, "[entity.new_unused] is used by no field. Pick a field of it"),
            (20, "lead.mobilephone: phone is fed by telephone1 already (line 6). Deselect that one"),
        ]
        assert str(caught.value).splitlines()[0] == "5 faults in the selection, nothing was changed"
    assert await world.sync.fields.selected() == before


async def test_a_selection_file_is_loaded_as_a_whole() -> None:
    """What it says is what is selected then; a fault that the file alone has is enough to refuse it."""
    world = await World.of(Entity.LEAD)
    text = picks_to_toml([Pick(Entity.LEAD, "lastname"), Pick(Entity.LEAD, "fax", marketo=NewField("Home fax"))])
    assert str(await world.sync.fields.diff(text)) == str(await world.sync.fields.replace(text))
    assert [pair.marketo for pair in await world.sync.fields.selected()] == ["lastName", "homeFax"]
    with pytest.raises(FieldError, match="used by no field"):
        await world.sync.fields.replace(text + "[entity.new_unused]")
    with pytest.raises(FieldError, match="no TOML"):
        await world.sync.fields.replace("lastname")


async def test_picks_are_refused_as_picks_whether_they_replace_or_not() -> None:
    """They come from no file, so the error speaks of picks."""
    world = await World.of(Entity.LEAD)
    picks = [Pick(Entity.LEAD, "jobtitel"), Pick(Entity.LEAD, "telefone1"), Pick(Entity.LEAD, "lastname")]
    for change in (world.sync.fields.diff, world.sync.fields.replace):
        with pytest.raises(FieldError, match="2 of 3 picks refused, none selected"):
            await change(picks)
