"""What became of every edit: the first promise, checked against the log of all changes.

An edit may be replaced in its own system by whoever works there. When *we* replace it, one of these must be so:

- it was no edit any more: since we last brought both systems together, both have shown that value at once;
- it is in the report, with the value that stood against it, told after it was entered;
- it came back: later both systems showed it.

Whether what stands at the end is on both systems is the fifth promise's check.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator

import attrs

from mkdyn.domain import Direction, FieldPair, FieldValue
from mkdyn.domain.entities import is_person
from mkdyn.domain.systems import System
from mkdyn.domain.values import same
from tests.simulation.couples import Couple, couples_of, forebears
from tests.simulation.hearsay import (
    Told,
    is_alike,
    is_soon,
    is_taken_for_ours,
    runs_around,
    told_in,
    was_entered_at_the_last,
    was_given_our_key,
)
from tests.simulation.log import Change, Place
from tests.simulation.world import Selected, World


def check_no_edit_is_lost(world: World) -> None:
    """Promise 1: no edit is lost."""
    _Replay(world).check()


@attrs.frozen(kw_only=True, eq=False)
class _Replaced:
    """An edit that a write of ours replaced; *alone* if nobody had edited anything against it."""

    entered: Change
    by: Change
    couple: Couple
    pair: FieldPair
    system: System
    alone: bool


class _Replay:
    """Goes through the log once more, knowing how it went on."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.shown: dict[Place, FieldValue] = {}
        self.showed: defaultdict[Place, list[FieldValue]] = defaultdict(list)
        self.filled: defaultdict[Place, list[FieldValue]] = defaultdict(list)
        self.last: dict[Place, Change] = {}
        self.common: defaultdict[tuple[Couple, str], list[tuple[FieldValue, FieldValue]]] = defaultdict(list)
        self.came_back: defaultdict[tuple[Couple, str], list[tuple[int, FieldValue, FieldValue]]] = defaultdict(list)
        self.replaced: list[_Replaced] = []
        self.beneath: dict[Place, _Replaced] = {}
        self.put_back: set[_Replaced] = set()
        self.makings = deque(world.log.makings)
        self.couples = couples_of(world)
        self.forebears = forebears(world.log.descents, {each for found in self.couples.values() for each in found})
        self.living = {(link.entity, link.dynamics, link.marketo) for link in world.links()}
        self.living |= {elder for couple in self.living for _, elder in self.forebears.get(couple, ())}
        self.elders = {each for found in self.couples.values() for each in found}
        self.together: dict[tuple[Couple, str], int] = {}

    def check(self) -> None:
        for change in self.world.log.changes:
            self._follow(change)
        told = told_in(self.world)
        for item in self.replaced:
            if item.alone:
                self.world.broken(
                    "promise 1", f"an edit is taken back, and nobody had edited against it: {_said(item)}"
                )
            if not (
                item in self.put_back or self._came_back(item) or self._is_superseded(item) or self._is_told(item, told)
            ):
                self.world.broken("promise 1", f"an edit is lost: {_said(item)}")

    def _follow(self, change: Change) -> None:
        self._begin_anew(change)
        place = change.place
        if not change.ours:
            self.beneath.pop(place, None)  # what was replaced there is superseded
        for couple in self.couples.get(place[:3], ()):
            for selected in self._pairs(couple, change.place):
                now = selected.since <= change.number and (selected.until is None or change.number < selected.until)
                self._begin(couple, selected.pair)
                if (
                    now
                    and couple in self.living
                    and change.ours
                    and change.other == couple[2 if place[0] is System.DYNAMICS else 1]
                ):
                    self._replace(change, couple, selected)
        if change.filled:
            self.filled[place].append(change.new)
        self.shown[place] = change.new
        self.showed[place].append(change.new)
        self.last[place] = change
        beneath = self.beneath.get(place)
        if beneath is not None and change.ours and same(change.new, beneath.by.old):
            self.put_back.add(beneath)
            self.last[place] = beneath.entered  # it is somebody's edit as before
        for couple in self.couples.get(place[:3], ()):
            for selected in self._pairs(couple, change.place):
                self._compare(change, couple, selected.pair)

    def _begin_anew(self, change: Change) -> None:
        """Forget what was entered in a record that was deleted and is made anew: it went with that record."""
        while self.makings and self.makings[0].number <= change.number:
            making = self.makings.popleft()
            record = (making.system, making.object, making.key)
            for known in (self.shown, self.last, self.beneath):
                for place in [place for place in known if place[:3] == record]:
                    del known[place]

    def _pairs(self, couple: Couple, place: Place) -> Iterator[Selected]:
        system, _, _, field = place
        for item in self.world.selected:
            pair = item.pair
            if (pair.dynamics if system is System.DYNAMICS else pair.marketo) != field:
                continue
            if pair.entity.logical_name == couple[0]:
                yield item

    def _begin(self, couple: Couple, pair: FieldPair) -> None:
        """Before anybody changed anything of a field, both systems showed it empty."""
        if (couple, pair.dynamics) not in self.common:
            self.common[couple, pair.dynamics].append(self._both(couple, pair))

    def _compare(self, change: Change, couple: Couple, pair: FieldPair) -> None:
        d, m = self._both(couple, pair)
        if not pair.lens.agree(d, m):
            if change.ours:
                self._note_carried(change, couple, pair)
            return
        if change.ours:
            if not self._is_unanswered(change):  # else what was agreed on before may be all that we know of
                self.common[couple, pair.dynamics].clear()
                self.filled.pop(_person(couple, pair), None)
            self.together[couple, pair.dynamics] = change.number
        self.common[couple, pair.dynamics].append((d, m))
        self.came_back[couple, pair.dynamics].append((change.number, d, m))

    def _is_unanswered(self, change: Change) -> bool:
        """Whether the answer to our write was lost."""
        sent = [
            sending
            for sending in self.world.log.sendings
            if sending.place == change.place
            and (sending.run, same(sending.value, change.new)) == (change.sent, True)
            and sending.number <= change.number
        ]
        return bool(sent) and sent[-1].answered is None

    def _note_carried(self, change: Change, couple: Couple, pair: FieldPair) -> None:
        """Note what we carried over though its source showed something else by then: put back, it counts as unchanged."""
        entity, row, _ = couple
        if change.place[0] is System.MARKETO:
            sources = [(value, change.new) for value in self.showed[System.DYNAMICS, entity, row, pair.dynamics]]
        else:
            sources = [(change.new, value) for value in self.showed[_person(couple, pair)]]
        carried = [both for both in sources if pair.lens.agree(*both)]
        self.common[couple, pair.dynamics] += carried[-1:]

    def _both(self, couple: Couple, pair: FieldPair) -> tuple[FieldValue, FieldValue]:
        entity, row, _ = couple
        empty_flag = False if pair.lens.name == "boolean" else None
        return (
            self.shown.get((System.DYNAMICS, entity, row, pair.dynamics), empty_flag),
            self.shown.get(_person(couple, pair), empty_flag),
        )

    def _replace(self, change: Change, couple: Couple, selected: Selected) -> None:
        """Note an edit that our write replaces, unless it was none any more, or nobody can know of it."""
        entered = self.last.get(change.place)
        if entered is None or entered.ours or (entered.number < selected.since and not selected.first):
            return
        if self._was_shared(change, couple, selected.pair) or self._was_delivered(change, entered, couple):
            return
        if self._is_beyond_us(change, entered, couple, selected):
            return
        item = _Replaced(
            entered=entered, by=change, couple=couple, pair=selected.pair, system=change.place[0],
            alone=not (entered.running or entered.late or entered.behind) and self._is_alone(change, couple, selected.pair),
        )  # fmt: skip
        self.replaced.append(item)
        self.beneath[change.place] = item

    def _is_alone(self, change: Change, couple: Couple, pair: FieldPair) -> bool:
        """Whether our write puts back what a new contact has from its lead, and what both had agreed on of that."""
        there = (System.DYNAMICS, couple[0], couple[1], pair.dynamics)
        showed, sent = self.showed[there], [item for item in self.world.log.sendings if item.place == there]
        if change.place[0] is System.DYNAMICS or pair.direction is not Direction.BOTH or len(showed) != 1:
            return False
        if any(item.answered is None and item.number <= change.number for item in sent):
            return False  # for all that anybody knows it arrived, and somebody put back what was there
        elders = [
            elder
            for number, elder in self.forebears.get(couple, ())
            if number <= change.number
            and elder in self.elders
            and elder[2] == couple[2]  # a merge in Marketo left another person, who shows its own
        ]
        latest = max((self.together.get((elder, pair.dynamics), -1) for elder in elders), default=-1)
        return any(
            common and same(common[-1][0], showed[0]) and same(common[-1][1], change.new)
            for elder in elders
            if self.together.get((elder, pair.dynamics), -1) == latest and self._is_known(elder, pair)
            for common in (self.common[elder, pair.dynamics],)
        )

    def _is_known(self, couple: Couple, pair: FieldPair) -> bool:
        """Whether both came to show the same by us, or before we came; what two people enter alike we may not hear of."""
        together = self.came_back[couple, pair.dynamics]
        return not together or (last := self.world.log.changes[together[-1][0]]).ours or last.run == 0

    def _was_shared(self, change: Change, couple: Couple, pair: FieldPair) -> bool:
        """Whether both have shown the replaced value since we last brought them together; before that, whether it is none.

        What a merge of ours filled in is nobody's, either, whatever was entered over it and undone again.
        """
        common = [
            *self.common[couple, pair.dynamics],
            *(
                both
                for number, elder in self.forebears.get(couple, ())
                if number <= change.number and self.together.get((couple, pair.dynamics), -1) < number
                for both in self.common[elder, pair.dynamics]
            ),
        ]
        if any(same(value, change.old) for value in self.filled[change.place]):
            return True
        side = 0 if change.place[0] is System.DYNAMICS else 1
        return any(same(both[side], change.old) for both in common) or (not common and change.old in (None, False, ""))

    def _was_delivered(self, change: Change, entered: Change, couple: Couple) -> bool:
        """Whether the edit had come to another row, which was deleted since: its person met this row afterwards."""
        gone = {key for number, system, _, key in self.world.log.removals if number <= change.number}
        others = [other for other in self.couples[change.place[:3]] if other[1] in gone and other[1] != couple[1]]
        return any(
            entered.number <= number <= change.number and same(shown, change.old)
            for other in others
            for selected in self._pairs(other, change.place)
            for number, _, shown in self.came_back[other, selected.pair.dynamics]
        )

    def _is_beyond_us(self, change: Change, entered: Change, couple: Couple, selected: Selected) -> bool:
        """Whether the limits in `docs/explanation/promises-and-limits.md` name the case: no trace of the edit is left."""
        pair, in_marketo = selected.pair, change.place[0] is System.MARKETO
        lost_feed = any(is_soon(change, run, run) for run in self.world.expired[System.MARKETO])
        lost_before = any(is_soon(entered, run, run) for run in self.world.expired[System.MARKETO])
        refreshed = any(number >= selected.since for number, _, _ in self.came_back[couple, pair.dynamics])
        meanwhile = entered.running or entered.run >= change.sent  # a write can be on its way for longer than its run
        unseen = meanwhile or (entered.behind and change.behind)  # in the instant of our write, or not shown by then
        place = (pair.entity.logical_name, pair.dynamics)
        unheard = lost_feed or any(
            place == (name, field) and is_soon(change, run, run) for name, field, run in self.world.ever_hidden
        )
        unheard |= selected.until is not None and is_soon(change, *runs_around(self.world, selected.until))
        parted = [
            key for number, _, _, key in self.world.log.deletions if is_soon(change, *runs_around(self.world, number))
        ]
        if pair.marketo in self.world.blocked:
            return True  # what Marketo makes of our writes can't be told from what people enter there
        if is_taken_for_ours(self.world, entered) or was_given_our_key(self.world, change):
            return True
        return (
            in_marketo
            and (
                # an object without a feed
                (unseen and not is_person(pair.entity))
                # the first refresh of a field, and the feed did not name the edit in time
                or (not (selected.first or refreshed) and (entered.running or entered.late or lost_feed or lost_before))
                # the feed that would have told was lost, or not asked, or nobody was left
                or (unseen and (unheard or not {*couple[1:]}.isdisjoint(parted)))
                # somebody entered just what we wrote: which of the two entries is ours, nobody can tell
                or any(is_alike(past, change) for past in self.world.log.changes[: change.number])
            )
        )

    def _is_superseded(self, item: _Replaced) -> bool:
        """Whether somebody of the same system came after our write, or after the next, before we could hear of it."""
        later = [change for change in self.world.log.changes[item.by.number + 1 :] if change.place == item.by.place]
        by_hand = next((item for item in later if not item.ours or was_entered_at_the_last(self.world, item)), None)
        return by_hand is not None and (by_hand is later[0] or by_hand.run <= item.by.run + 4)

    def _came_back(self, item: _Replaced) -> bool:
        side = 1 if item.system is System.DYNAMICS else 2
        later = self.came_back[item.couple, item.pair.dynamics]
        return any(both[0] > item.by.number and same(both[side], item.by.old) for both in later)

    def _is_told(self, item: _Replaced, told: Told) -> bool:
        """Whether the report has it, of its row or of one that stands for that by now."""
        rows, later = {item.couple[1]}, self.world.log.descents
        for descent in later:
            rows |= {descent.after[1]} if descent.before[1] in rows else set()
        reports = [found for row in rows for found in told.get((row, item.pair.dynamics), ())]
        lost = item.by.old
        return any(
            number > item.entered.told and (same(dynamics, lost) or same(marketo, lost))
            for number, dynamics, marketo in reports
        )


def _person(couple: Couple, pair: FieldPair) -> Place:
    return (System.MARKETO, pair.entity.marketo_object, couple[2], pair.marketo)


def _said(item: _Replaced) -> str:
    system, name, key, field = item.by.place
    return (
        f"{name} {key}.{field} in {system} was {item.by.old!r} by somebody's hand, entered in run {item.entered.run}"
        f"{' while it went' if item.entered.running else ''}; our run {item.by.run} wrote {item.by.new!r}"
    )
