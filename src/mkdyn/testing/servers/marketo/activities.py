"""The activity log on the wire: changes, scores, merges, deletions.

The log is searched block by block, so an answer may hold nothing, and then has no `result`, though
there is more. A token is a place in the log: what shows up late behind it is not told from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from mkdyn.testing._feed import Logged
from mkdyn.testing.servers.marketo.paging import numbers_of, token
from mkdyn.testing.servers.marketo.question import INVALID, Answer, Object, Question, RefusedError
from mkdyn.testing.servers.marketo.values import instant, moment
from mkdyn.testing.servers.marketo.world import World

NEW_LEAD: Final = 12
CHANGE_DATA_VALUE: Final = 13
CHANGE_SCORE: Final = 22
MERGE_LEADS: Final = 32
DELETE_LEAD: Final = 37

_DAYS: Final[Mapping[int, int]] = {CHANGE_DATA_VALUE: 90, CHANGE_SCORE: 90, MERGE_LEADS: 760, DELETE_LEAD: 14}
_TYPES_MAX: Final = 10
_LEADS_MAX: Final = 30
_WRONG_TYPE: Final = "1001"
_SCORES: Final = frozenset({"leadScore"})
_SOURCE: Final = {"api": "Web service API", "person": "User"}

#: One thing to tell: its number among the activities, its type, and what the log says.
Told: TypeAlias = tuple[int, int, Logged]
Teller: TypeAlias = Callable[[Told], "Object | None"]


def _type(id: int, name: str, primary: str, *attributes: str) -> Object:
    return {
        "id": id,
        "name": name,
        "description": name,
        "primaryAttribute": {"name": primary, "dataType": "string"},
        "attributes": [{"name": attribute, "dataType": "string"} for attribute in attributes],
    }


_ALL_TYPES: Final = (
    _type(NEW_LEAD, "New Lead", "Lead ID", "Created Date", "Source Type"),
    _type(CHANGE_DATA_VALUE, "Change Data Value", "Attribute Name", "New Value", "Old Value", "Reason", "Source"),
    _type(CHANGE_SCORE, "Change Score", "Score Name", "Change Value", "New Value", "Old Value", "Reason"),
    _type(MERGE_LEADS, "Merge Leads", "Lead ID", "Merge IDs", "Merge Fields"),
    _type(DELETE_LEAD, "Delete Lead", "Lead ID"),
)


def types(_world: World, _question: Question) -> Answer:
    """The types there are."""
    return Answer(result=_ALL_TYPES)


def paging_token(world: World, question: Question) -> Answer:
    """A token for the place in the log where a time begins."""
    since = question.required("sinceDatetime")
    try:
        at = moment(since)
    except ValueError as error:
        raise RefusedError(_WRONG_TYPE, f"Invalid value '{since}'. Required of type 'Datetime'") from error
    log = world.backstage.log
    return Answer(next_page=token("log", log.epoch, log.place_at(at), 0))


def activities(world: World, question: Question) -> Answer:
    """Activities of some types."""
    wanted = question.texts("activityTypeIds")
    if not wanted:
        question.required("activityTypeIds")
    if len(wanted) > _TYPES_MAX:
        raise RefusedError(INVALID, f"No more than {_TYPES_MAX} activity types are allowed")
    kinds = {int(kind) for kind in wanted if kind.isdecimal()}
    return _page(world, question, lambda told: _activity(world, told) if told[1] in kinds else None)


def lead_changes(world: World, question: Question) -> Answer:
    """New persons, and changes of some fields by their REST names; scores that flow steps changed are not among them."""
    fields = world.fields(world.leads, question.texts("fields"), ())
    if not fields:
        question.required("fields")
    return _page(world, question, lambda told: _change(world, told, fields))


def deleted_leads(world: World, question: Question) -> Answer:
    """Persons who were deleted."""
    return _page(world, question, lambda told: _activity(world, told) if told[1] == DELETE_LEAD else None)


def all_activities(world: World) -> Iterator[tuple[datetime, Object]]:
    """Yield every activity that is kept, each with its time."""
    log = world.backstage.log
    for place, logged in log.visible(0, len(log), world.fake.time):
        for told in _told(world, place, logged):
            yield logged.at, _activity(world, told)


# -- pages ---------------------------------------------------------------------------------------------


def _page(world: World, question: Question, tell: Teller) -> Answer:
    """Search the next block of the log; every other block may be answered with nothing first."""
    log, batch, asked = world.backstage.log, question.batch_size(), question.required("nextPageToken")
    code = world.quirks.stale_page_code
    epoch, start, idle = numbers_of("log", asked, code)
    if epoch != log.epoch:
        raise RefusedError(code, "Invalid paging token")
    leads = question.texts("leadIds")
    if len(leads) > _LEADS_MAX:
        raise RefusedError(INVALID, f"No more than {_LEADS_MAX} leads are allowed")
    end = len(log)
    if log.empty_pages == "sometimes" and start < end and not idle:
        return Answer(next_page=token("log", epoch, start, 1), more=True)
    stop = min(start + world.quirks.block_entries, end)
    elements: list[Object] = []
    for place, logged in log.visible(start, stop, world.fake.time):
        if leads and logged.key not in leads:
            continue
        here = [element for told in _told(world, place, logged) if (element := tell(told)) is not None]
        if len(elements) + len(here) > batch:
            stop = place
            break
        elements += here
    return Answer(result=elements or None, next_page=token("log", epoch, stop, 0), more=stop < end)


def _told(world: World, place: int, logged: Logged) -> Iterator[Told]:
    """Yield the activities that an entry of the log stands for, as far as they are kept that long."""
    age = world.fake.time - logged.at
    for turn, kind in enumerate(_kinds(world, logged)):
        days = _DAYS.get(kind)
        if days is None or age <= timedelta(days=days):
            yield 2 * place + turn + 1, kind, logged


def _kinds(world: World, logged: Logged) -> Iterable[int]:
    match logged.kind:
        case "new":
            return (NEW_LEAD,)
        case "changed":
            return (CHANGE_SCORE if logged.by == "person" and _is_score(world, logged.field) else CHANGE_DATA_VALUE,)
        case "deleted" if logged.into:
            return (MERGE_LEADS, DELETE_LEAD) if world.quirks.merged == "told" else (MERGE_LEADS,)
        case "deleted":
            return (DELETE_LEAD,)
        case _:
            return ()


def _is_score(world: World, field: str) -> bool:
    spec = world.leads.specs.get(field)
    return field in _SCORES or (spec is not None and spec.type == "score")


# -- elements ------------------------------------------------------------------------------------------


def _head(world: World, told: Told) -> dict[str, object]:
    number, kind, logged = told
    whose = logged.into if kind == MERGE_LEADS else logged.key
    return {
        **({"id": number} if world.quirks.activity_ids == "shown" else {}),
        "marketoGUID": str(number),
        "leadId": int(whose),
        "activityDate": instant(logged.at),
        "activityTypeId": kind,
    }


def _activity(world: World, told: Told) -> Object:
    """Return an entry as the list of activities shows it: fields by their display names."""
    head, (_, kind, logged) = _head(world, told), told
    match kind:
        case 13 | 22:
            spec, number = world.leads.specs.get(logged.field), world.leads.numbers.get(logged.field, 0)
            primary = {
                "primaryAttributeValueId": number,
                "primaryAttributeValue": logged.field if spec is None else spec.label,
            }
            attributes = _scored(logged) if kind == CHANGE_SCORE else _changed(logged)
        case 32:
            primary = {"primaryAttributeValueId": int(logged.into), "primaryAttributeValue": ""}
            attributes = [{"name": "Merge IDs", "value": f"[{logged.key}]"}, {"name": "Merge Fields", "value": ""}]
        case 37:
            primary = {"primaryAttributeValueId": int(logged.key), "primaryAttributeValue": logged.new}
            attributes = []
        case _:
            primary = {"primaryAttributeValueId": int(logged.key)}
            attributes = _new_lead(logged)
    return {**head, **primary, "attributes": attributes}


def _change(world: World, told: Told, fields: Iterable[str]) -> Object | None:
    """Return an entry as the list of changes shows it; None where it is no such change."""
    _, kind, logged = told
    if kind == NEW_LEAD:
        return {**_head(world, told), "fields": [], "attributes": _new_lead(logged)}
    if kind != CHANGE_DATA_VALUE or logged.field not in fields:
        return None
    number = world.leads.numbers[logged.field]
    changed = {"id": number, "name": logged.field, "oldValue": logged.old, "newValue": logged.new}
    return {
        **_head(world, told),
        "fields": [changed],
        "attributes": [*_why(logged), _attribute("Lead ID", int(logged.key))],
    }


def _attribute(name: str, value: object) -> dict[str, object]:
    return {"name": name, "value": value}


def _why(logged: Logged) -> list[dict[str, object]]:
    return [_attribute("Reason", _SOURCE[logged.by]), _attribute("Source", _SOURCE[logged.by])]


def _new_lead(logged: Logged) -> list[dict[str, object]]:
    return [_attribute("Created Date", logged.at.date().isoformat()), _attribute("Source Type", _SOURCE[logged.by])]


def _changed(logged: Logged) -> list[dict[str, object]]:
    return [_attribute("New Value", logged.new), _attribute("Old Value", logged.old), *_why(logged)]


def _scored(logged: Logged) -> list[dict[str, object]]:
    old, new = int(logged.old or 0), int(logged.new or 0)
    return [
        _attribute("Change Value", f"{new - old:+d}"),
        _attribute("New Value", new),
        _attribute("Old Value", old),
        _attribute("Reason", _SOURCE[logged.by]),
        _attribute("Score Name", logged.field),
    ]
