"""Which fields are eligible, and what a selection comes to: every refusal, word by word."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from typing import Any

import attrs
import pytest
from hypothesis import given, strategies as st

from mkdyn.domain import (
    AnyEntity,
    Candidate,
    CustomEntity,
    Direction,
    Eligible,
    EligibleToMarketo,
    Entity,
    FieldChanges,
    FieldPair,
    FieldSpec,
    FieldType,
    NewField,
    NotEligible,
    PairState,
    Pick,
    System,
    Unfit,
    eligibility,
)
from mkdyn.domain.mapping import STANDARD_MAPPING
from mkdyn.domain.names import nearest
from mkdyn.domain.registry import DynamicsSchema, MarketoSchema
from mkdyn.domain.selection import defaults, replacement, reselected, selection
from mkdyn.errors import (
    FieldCreationError,
    FieldError,
    NotEligibleError,
    OneWayError,
    TypeMismatchError,
    UnknownEntityError,
    UnknownFieldError,
)

from .worlds import LAW

SUBSCRIPTION = CustomEntity("new_subscription", marketo="subscription_c")
INVOICE = CustomEntity("new_invoice")


def spec(name: str, type: FieldType = "text", **facts: Any) -> FieldSpec:  # noqa: ANN401 - of each fact's own type
    """Return a field."""
    return attrs.evolve(FieldSpec(name=name, type=type), **facts)


def by_name(*specs: FieldSpec) -> dict[str, FieldSpec]:
    """Return fields by name."""
    return {found.name: found for found in specs}


PERSON = (
    spec("jobtitle", length=100),
    spec("telephone1"),
    spec("telephone2"),
    spec("emailaddress1"),
    spec("new_tier", label="Tier", length=40),
    spec("new_rating", "decimal", nature="calculated"),
    spec("new_ssn", length=11, readable=False),
    spec("new_iban", length=34, masked=True, secured=True),
    spec("new_blob", "unsupported"),
    spec("mkt_leadscore", "integer"),
    spec("statecode", "choice"),
    spec("ownerid", "lookup"),
    spec("new_locked", writable=False),
)
DYNAMICS: DynamicsSchema = {
    Entity.LEAD: by_name(*PERSON),
    Entity.CONTACT: by_name(*PERSON, spec("parentcustomerid", "lookup")),
    Entity.ACCOUNT: by_name(
        spec("name"), spec("revenue", "decimal"), spec("new_total", "decimal", nature="calculated")
    ),
    SUBSCRIPTION: by_name(spec("new_plan", label="Plan", length=50), spec("new_seats", "integer")),
    INVOICE: by_name(spec("new_total", "decimal"), spec("new_paidon", "date")),
}
MARKETO: MarketoSchema = {
    "lead": by_name(
        spec("title", length=255),
        spec("phone"),
        spec("email"),
        spec("leadScore", "integer"),
        spec("rating", "float"),
        spec("leadStatus"),
        spec("externalSalesPersonId"),
        spec("externalCompanyId"),
        spec("mirror", writable=False),
        spec("dynamicsId"),
    ),
    "company": by_name(spec("company"), spec("annualRevenue", "float", writable=False)),
    "subscription_c": by_name(spec("new_seats", "integer")),
}


def select(
    *picks: Pick, current: Sequence[FieldPair] = (), reserved: Collection[str] = ("dynamicsId",)
) -> FieldChanges:
    """Select from what both systems describe."""
    return selection(picks, dynamics=DYNAMICS, marketo=MARKETO, current=current, reserved=reserved)


def refused(*picks: Pick, current: Sequence[FieldPair] = ()) -> FieldError:
    """Return why a selection is refused."""
    with pytest.raises(FieldError) as caught:
        select(*picks, current=current)
    return caught.value


# -- eligibility ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "verdict"),
    [
        (spec("x"), Eligible()),
        (spec("x", readable=False, nature="calculated", writable=False), NotEligible("the sync user may not read it")),
        (spec("x", "unsupported"), NotEligible("its type can't be synced")),
        (spec("x", nature="calculated", writable=False), EligibleToMarketo("calculated by Dynamics")),
        (spec("x", writable=False), EligibleToMarketo("the sync user may not write it")),
        (spec("x", nature="rolled-up"), EligibleToMarketo("rolled up by Dynamics")),
        (spec("x", nature="part"), NotEligible("part of another field, which can be selected itself")),
        (spec("x", nature="virtual"), NotEligible("Dynamics keeps no value of its own for it")),
        (spec("x", nature="system"), NotEligible("Dynamics keeps it for itself")),
        (spec("x", "image"), NotEligible("images can't be synced")),
        (spec("x", secured=True, readable=False), NotEligible("secured; the sync user may not read it")),
        (spec("x", masked=True), NotEligible("the sync user is shown masks of its values")),
        (spec("x", secured=True, masked=True), NotEligible("secured; the sync user is shown masks of its values")),
        (spec("x", readable=False, masked=True), NotEligible("the sync user may not read it")),
        (spec("x", secured=True, writable=False), EligibleToMarketo("secured; the sync user may not write it")),
    ],
)
def test_what_may_be_synced(field: FieldSpec, verdict: object) -> None:
    """What the sync user can read (M5); both ways only what it can write."""
    assert eligibility(field) == verdict


def test_eligibility_in_words() -> None:
    """For people, and for programmers."""
    assert str(Eligible()) == "eligible"
    assert str(EligibleToMarketo("calculated by Dynamics")) == "Dynamics → Marketo only"
    assert str(NotEligible("x")) == "not eligible"
    assert repr(NotEligible("the sync user may not read it")) == "NotEligible('the sync user may not read it')"


@pytest.mark.parametrize(
    ("entity", "name", "marketo", "line"),
    [
        (Entity.CONTACT, "jobtitle", "title", "contact.jobtitle    text(100)   both ways                 title"),
        (
            Entity.CONTACT,
            "new_rating",
            None,
            "contact.new_rating  decimal     Dynamics → Marketo only   -        calculated by Dynamics",
        ),
        (
            Entity.CONTACT,
            "new_ssn",
            None,
            "contact.new_ssn     text(11)    not eligible              -        the sync user may not read it",
        ),
        (Entity.ACCOUNT, "name", "company", "account.name        text        Dynamics → Marketo only   company"),
        (SUBSCRIPTION, "new_plan", None, "new_subscription.new_plan text(50)    Dynamics → Marketo only   -"),
    ],
    ids=str,
)
def test_a_candidate_in_one_line(entity: AnyEntity, name: str, marketo: str | None, line: str) -> None:
    """Name, shape, direction, counterpart, and why not."""
    field = DYNAMICS[entity][name]
    assert str(Candidate(entity=entity, field=field, eligibility=eligibility(field), marketo=marketo)) == line


@pytest.mark.parametrize(
    ("entity", "field", "marketo", "pick"),
    [
        (Entity.LEAD, spec("jobtitle", label="Job Title"), "title", Pick(Entity.LEAD, "jobtitle")),
        (
            Entity.LEAD,
            spec("new_tier", label="Customer tier"),
            None,
            Pick(Entity.LEAD, "new_tier", marketo=NewField("Customer tier")),
        ),
        (Entity.LEAD, spec("new_tier"), None, Pick(Entity.LEAD, "new_tier", marketo=NewField("new_tier"))),
        (
            Entity.LEAD,
            spec("new_tier", label="顧客"),
            None,
            Pick(Entity.LEAD, "new_tier", marketo=NewField("顧客", name="new_tier")),
        ),
        (SUBSCRIPTION, spec("new_plan", label="Plan"), None, Pick(SUBSCRIPTION, "new_plan")),
    ],
    ids=str,
)
def test_a_candidate_gives_its_pick(entity: AnyEntity, field: FieldSpec, marketo: str | None, pick: Pick) -> None:
    """So that fields can be picked by a predicate: the standard counterpart, or a new field with the same label."""
    candidate = Candidate(entity=entity, field=field, eligibility=eligibility(field), marketo=marketo)
    assert candidate.pick() == pick
    narrow = candidate.pick(direction=Direction.TO_MARKETO, authority=System.DYNAMICS)
    assert narrow == attrs.evolve(pick, direction=Direction.TO_MARKETO, authority=System.DYNAMICS)


def test_a_candidate_is_eligible_if_it_can_go_one_way() -> None:
    """What Dynamics calculates can be read."""
    found = {
        name: Candidate(entity=Entity.LEAD, field=field, eligibility=eligibility(field)).eligible
        for name, field in DYNAMICS[Entity.LEAD].items()
    }
    assert [name for name, eligible in found.items() if not eligible] == ["new_ssn", "new_iban", "new_blob"]


# -- what a selection takes ----------------------------------------------------------------------------


def test_a_pick_takes_its_counterpart_from_the_standard_mapping() -> None:
    """Or the one it names, or a field that is created."""
    changes = select(
        Pick(Entity.CONTACT, "jobtitle"),
        Pick(Entity.CONTACT, "new_tier", marketo=NewField("Customer tier")),
        Pick(Entity.CONTACT, "mkt_leadscore", marketo="leadScore", direction=Direction.TO_DYNAMICS),
        Pick(Entity.CONTACT, "telephone1", marketo="phone", authority=System.MARKETO),
    )
    assert [(pair.dynamics, pair.marketo, pair.direction, pair.authority) for pair in changes.added] == [
        ("jobtitle", "title", Direction.BOTH, None),
        ("new_tier", "customerTier", Direction.BOTH, None),
        ("mkt_leadscore", "leadScore", Direction.TO_DYNAMICS, None),
        ("telephone1", "phone", Direction.BOTH, System.MARKETO),
    ]
    assert [pair.lens.name for pair in changes.added] == ["text", "text", "integer", "text"]
    assert changes.created == (("lead", NewField("Customer tier", name="customerTier", type="text")),)
    assert str(changes) == "4 added · 0 removed · 0 unchanged"


def test_a_custom_entity_s_fields_are_created_where_they_are_not() -> None:
    """Its custom object is ours to shape."""
    changes = select(Pick(SUBSCRIPTION, "new_plan"), Pick(SUBSCRIPTION, "new_seats"), Pick(INVOICE, "new_total"))
    assert changes.created == (
        ("subscription_c", NewField("Plan", name="new_plan", type="text")),
        ("new_invoice_c", NewField("new_total", name="new_total", type="float")),
    )
    assert {pair.direction for pair in changes.added} == {Direction.TO_MARKETO}


def test_a_new_field_that_is_there_already_is_taken() -> None:
    """So that a selection can be repeated; a field of another type does not do."""
    assert select(Pick(Entity.LEAD, "jobtitle", marketo=NewField("Title"))).created == ()
    assert isinstance(refused(Pick(Entity.LEAD, "jobtitle", marketo=NewField("Rating"))), TypeMismatchError)


def test_a_new_field_may_be_given_a_type() -> None:
    """If they fit."""
    url = NewField("Page", type="url")
    assert select(Pick(Entity.LEAD, "jobtitle", marketo=url)).created == (
        ("lead", NewField("Page", name="page", type="url")),
    )
    [short] = select(Pick(Entity.LEAD, "jobtitle", marketo=NewField("Short"))).added
    assert short.lens.to_marketo("x" * 256) == Unfit("too-long", "256 characters, Marketo takes 255.")
    mismatch = refused(Pick(Entity.LEAD, "telephone1", marketo=NewField("Level", type="integer")))
    assert isinstance(mismatch, TypeMismatchError)
    assert str(mismatch).startswith("telephone1 (text in Dynamics) does not fit level (integer in Marketo).")


def test_a_new_field_is_of_a_type_that_marketo_creates() -> None:
    """It creates no text areas on persons; on a custom object it does."""
    area = NewField("Notes", type="memo")
    fault = refused(Pick(Entity.LEAD, "jobtitle", marketo=area))
    assert isinstance(fault, TypeMismatchError)
    assert str(fault).startswith("lead.jobtitle: Marketo creates no field of type memo there. Take one of boolean, ")
    assert select(Pick(SUBSCRIPTION, "new_plan", marketo=area)).created == (
        ("subscription_c", NewField("Notes", name="notes", type="memo")),
    )


def test_a_standard_counterpart_that_no_instance_has_is_created() -> None:
    """Under its standard name; where it is there, it is taken."""
    changes = select(Pick(Entity.LEAD, "telephone2"))
    assert changes.created == (("lead", NewField("Dynamics Home Phone", name="dynamicsHomePhone", type="text")),)
    there = {"lead": {**MARKETO["lead"], "dynamicsHomePhone": spec("dynamicsHomePhone")}}
    changes = selection([Pick(Entity.LEAD, "telephone2")], dynamics=DYNAMICS, marketo=there, current=())
    assert ([pair.marketo for pair in changes.added], changes.created) == (["dynamicsHomePhone"], ())


def test_a_replacement_is_the_whole_selection() -> None:
    """What is not picked is removed; what is picked as it was stays."""
    current = select(Pick(Entity.LEAD, "jobtitle"), Pick(Entity.LEAD, "telephone1")).added
    picks = [Pick(Entity.LEAD, "telephone1"), Pick(Entity.LEAD, "emailaddress1")]
    changes = replacement(picks, dynamics=DYNAMICS, marketo=MARKETO, current=current)
    assert [pair.dynamics for pair in changes.added] == ["emailaddress1"]
    assert (changes.removed, changes.unchanged) == (current[:1], current[1:])


@pytest.mark.parametrize("state", [PairState.MISSING, PairState.BLOCKED])
def test_what_was_exported_can_be_loaded_whatever_became_of_its_fields(state: PairState) -> None:
    """A pair whose field is gone stays set aside, and keeps its Marketo field; picked in another way, it is refused."""
    gone = FieldPair(entity=Entity.LEAD, dynamics="new_gone", marketo="gone", selection=2, state=state)
    asked = Pick(Entity.LEAD, "new_gone", marketo="gone", direction=gone.direction)

    def replaced(*picks: Pick) -> FieldChanges:
        return replacement(picks, dynamics=DYNAMICS, marketo=MARKETO, current=[gone])

    changes = replaced(asked, Pick(Entity.LEAD, "jobtitle"))
    assert (changes.unchanged, changes.removed) == ((gone,), ())
    assert [pair.dynamics for pair in changes.added] == ["jobtitle"]
    for other in (
        Pick(Entity.LEAD, "new_gone", marketo="email"),
        Pick(Entity.LEAD, "new_gone", marketo="gone", direction=Direction.TO_DYNAMICS),
        Pick(Entity.LEAD, "new_gone", marketo="gone", authority=System.MARKETO),
    ):
        with pytest.raises(FieldError, match="new_gone"):
            replaced(other)


def test_a_field_set_aside_that_is_there_again_is_selected_anew() -> None:
    """Loading the selection takes it back."""
    aside = attrs.evolve(select(Pick(Entity.LEAD, "jobtitle")).added[0], state=PairState.MISSING)
    asked = Pick(Entity.LEAD, "jobtitle", marketo=aside.marketo, direction=aside.direction)
    changes = replacement([asked], dynamics=DYNAMICS, marketo=MARKETO, current=[aside])
    assert ([pair.dynamics for pair in changes.added], changes.removed) == (["jobtitle"], (aside,))


def test_a_selection_is_repeatable() -> None:
    """What is selected as asked already stays as it is: state, selection, baselines."""
    first = select(Pick(Entity.LEAD, "jobtitle"), Pick(Entity.LEAD, "telephone1")).added
    current = [attrs.evolve(pair, selection=2, state=PairState.BACKFILLING) for pair in first]
    again = select(Pick(Entity.LEAD, "telephone1"), Pick(Entity.LEAD, "new_tier", marketo="email"), current=current)
    assert again.unchanged == (current[1],)
    assert [pair.dynamics for pair in again.added] == ["new_tier"]
    assert str(again) == "1 added · 0 removed · 1 unchanged"
    changed = select(Pick(Entity.LEAD, "telephone1", authority=System.DYNAMICS), current=current)
    assert [pair.authority for pair in changed.added] == [System.DYNAMICS]


def test_a_field_picked_in_another_way_takes_the_place_of_its_pair() -> None:
    """The old pairs are removed, in the order of the picks; a field that had none has none to remove."""
    current = select(Pick(Entity.LEAD, "jobtitle"), Pick(Entity.LEAD, "telephone1")).added
    changes = select(
        Pick(Entity.LEAD, "telephone1", authority=System.DYNAMICS),
        Pick(Entity.LEAD, "jobtitle", direction=Direction.TO_MARKETO),
        Pick(Entity.LEAD, "emailaddress1"),
        current=current,
    )
    assert changes.removed == current[::-1]
    assert [pair.dynamics for pair in changes.added] == ["telephone1", "jobtitle", "emailaddress1"]
    assert str(changes) == "3 added · 2 removed · 0 unchanged"


def test_an_object_that_marketo_does_not_have_yet_has_no_fields() -> None:
    """None of its fields can be named; all of them can be created."""
    unknown = refused(Pick(INVOICE, "new_total", marketo="total"))
    assert isinstance(unknown, UnknownFieldError)
    assert str(unknown).startswith("new_invoice_c.total is not in Marketo. ")
    new = NewField("Total", name="total", type="float")
    assert select(Pick(INVOICE, "new_total", marketo=NewField("Total"))).created == (("new_invoice_c", new),)


def test_a_pick_s_marketo_field_is_a_name_or_a_new_field() -> None:
    """Anything else is a mistake of the program; the error names it."""
    with pytest.raises(AssertionError, match="7042"):
        select(Pick(Entity.LEAD, "jobtitle", marketo=7042))  # type: ignore[arg-type]  # that is the mistake


def test_a_pick_given_twice_is_selected_once() -> None:
    """Two picks of one field that differ are refused."""
    tier = Pick(Entity.LEAD, "new_tier", marketo=NewField("Tier"))
    changes = select(tier, tier)
    assert (len(changes.added), len(changes.created)) == (1, 1)
    assert str(refused(Pick(Entity.LEAD, "jobtitle"), Pick(Entity.LEAD, "jobtitle", marketo="phone"))) == (
        "lead.jobtitle is picked twice, in two ways. Keep one of the picks."
    )


# -- directions ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pick", "direction"),
    [
        (Pick(Entity.LEAD, "jobtitle"), Direction.BOTH),
        (Pick(Entity.LEAD, "jobtitle", direction=Direction.TO_MARKETO), Direction.TO_MARKETO),
        (Pick(Entity.LEAD, "statecode"), Direction.TO_MARKETO),
        (Pick(Entity.CONTACT, "mkt_leadscore"), Direction.TO_DYNAMICS),
        (Pick(Entity.LEAD, "new_rating", marketo="rating"), Direction.TO_MARKETO),
        (Pick(Entity.LEAD, "jobtitle", marketo="mirror"), Direction.TO_DYNAMICS),
        (Pick(Entity.ACCOUNT, "new_total", marketo=NewField("Total")), Direction.TO_MARKETO),
        (Pick(Entity.ACCOUNT, "name", direction=Direction.TO_MARKETO), Direction.TO_MARKETO),
    ],
    ids=str,
)
def test_a_pair_goes_as_far_as_it_can(pick: Pick, direction: Direction) -> None:
    """The entity's way, narrowed by the pick, by the mapping, and by what can be written."""
    [pair] = select(pick).added
    assert pair.direction is direction


@pytest.mark.parametrize(
    ("pick", "text"),
    [
        (
            Pick(INVOICE, "new_paidon", direction=Direction.BOTH),
            "new_invoice.new_paidon: custom entities sync Dynamics → Marketo only. Leave direction out.",
        ),
        (
            Pick(Entity.ACCOUNT, "name", direction=Direction.TO_DYNAMICS),
            "account.name: accounts sync Dynamics → Marketo only. Leave direction out.",
        ),
        (
            Pick(Entity.LEAD, "new_rating", marketo="rating", direction=Direction.BOTH),
            (
                "lead.new_rating: the sync user can't write it in Dynamics. "
                "It can sync Dynamics → Marketo only: choose that direction."
            ),
        ),
        (
            Pick(Entity.LEAD, "jobtitle", marketo="mirror", direction=Direction.TO_MARKETO),
            (
                "lead.jobtitle: the sync user can't write it in Marketo. "
                "It can sync Marketo → Dynamics only: choose that direction."
            ),
        ),
        (
            Pick(Entity.LEAD, "new_locked", marketo="mirror"),
            "lead.new_locked: the sync user can't write it in Marketo. Let it write there, or leave it out.",
        ),
        (
            Pick(Entity.LEAD, "statecode", marketo="mirror"),
            "lead.statecode: the sync user can't write it in Marketo. Let it write there, or leave it out.",
        ),
        (
            Pick(Entity.ACCOUNT, "revenue"),
            "account.revenue: the sync user can't write it in Marketo. Let it write there, or leave it out.",
        ),
    ],
    ids=str,
)
def test_a_direction_that_cannot_be_had(pick: Pick, text: str) -> None:
    """It is refused, with the one that can; never turned round silently."""
    error = refused(pick)
    assert isinstance(error, OneWayError)
    assert str(error) == text


# -- refusals ------------------------------------------------------------------------------------------

NAMED = "Give the new field a name, too: a letter first; then letters, digits and _."
NO_COLUMN = (
    " is not in Dynamics, and no field can be created in Dynamics from Marketo. "
    "Create the column in Dynamics, publish it, let the sync user read it, then select it."
)


@pytest.mark.parametrize(
    ("pick", "kind", "text"),
    [
        (Pick(Entity.CONTACT, "colour", marketo="favouriteColour"), FieldCreationError, "contact.colour" + NO_COLUMN),
        (
            Pick(Entity.CONTACT, "colour", direction=Direction.TO_DYNAMICS),
            FieldCreationError,
            "contact.colour" + NO_COLUMN,
        ),
        (Pick(Entity.LEAD, "jobtitel"), UnknownFieldError, "lead.jobtitel is not in Dynamics; nearest: jobtitle."),
        (
            Pick(Entity.LEAD, "qqq"),
            UnknownFieldError,
            "lead.qqq is not in Dynamics. See which there are: fields.candidates.",
        ),
        (
            Pick(Entity.LEAD, "jobtitle", marketo="titles"),
            UnknownFieldError,
            "lead.titles is not in Marketo; nearest: title. Name another one, or have one created.",
        ),
        (
            Pick(Entity.LEAD, "jobtitle", marketo="qqq"),
            UnknownFieldError,
            "lead.qqq is not in Marketo. Name another one, or have one created.",
        ),
        (
            Pick(Entity.LEAD, "new_tier"),
            UnknownFieldError,
            ("lead.new_tier has no standard counterpart in Marketo. Name one, or have one created."),
        ),
        (
            Pick(Entity.OPPORTUNITY, "name"),
            UnknownEntityError,
            (
                "Dynamics has no table opportunity, or the sync user can't see it. "
                "Check the name, or give the sync user's role Read on it."
            ),
        ),
        (
            Pick(Entity.LEAD, "new_ssn", marketo="title"),
            NotEligibleError,
            "lead.new_ssn is not eligible: the sync user may not read it. Let the sync user read it, or leave it out.",
        ),
        (
            Pick(Entity.LEAD, "new_iban", marketo="title"),
            NotEligibleError,
            (
                "lead.new_iban is not eligible: secured; the sync user is shown masks of its values. "
                "Let the sync user read it unmasked, or leave it out."
            ),
        ),
        (
            Pick(Entity.LEAD, "new_blob", marketo="title"),
            NotEligibleError,
            "lead.new_blob is not eligible: its type can't be synced. Leave it out.",
        ),
        (
            Pick(Entity.LEAD, "jobtitle", marketo="leadScore"),
            TypeMismatchError,
            (
                "jobtitle (text(100) in Dynamics) does not fit leadScore (integer in Marketo). "
                "Map it to a Marketo field of type text."
            ),
        ),
        (
            Pick(Entity.LEAD, "jobtitle", marketo="dynamicsId"),
            FieldError,
            "lead.jobtitle: mkdyn keeps dynamicsId for itself. Choose another field.",
        ),
        (
            Pick(Entity.LEAD, "jobtitle", marketo=NewField("Dynamics id")),
            FieldError,
            "lead.jobtitle: mkdyn keeps dynamicsId for itself. Choose another field.",
        ),
        (
            Pick(Entity.LEAD, "jobtitle", marketo=NewField("顧客")),
            FieldError,
            "lead.jobtitle: no API name can be made of '顧客'. " + NAMED,
        ),
        (
            Pick(Entity.LEAD, "jobtitle", marketo=NewField("2nd title")),
            FieldError,
            "lead.jobtitle: no API name can be made of '2nd title'. " + NAMED,
        ),
        (
            Pick(Entity.LEAD, "jobtitle", marketo=NewField("Title", name="my-title")),
            FieldError,
            "lead.jobtitle: 'my-title' is no API name. " + NAMED,
        ),
    ],
    ids=str,
)
def test_a_pick_that_is_refused(pick: Pick, kind: type[FieldError], text: str) -> None:
    """One fault is raised as its own class, and says what to do."""
    error = refused(pick)
    assert type(error) is kind
    assert str(error) == text
    assert error.faults == (error,)


def test_the_nearest_name_is_a_fact() -> None:
    """Or there is none."""
    near, far = refused(Pick(Entity.LEAD, "jobtitel")), refused(Pick(Entity.LEAD, "qqq"))
    assert isinstance(near, UnknownFieldError)
    assert isinstance(far, UnknownFieldError)
    assert (near.nearest, far.nearest) == ("jobtitle", None)
    there = refused(Pick(Entity.LEAD, "jobtitle", marketo="titles"))
    assert isinstance(there, UnknownFieldError)
    assert there.nearest == "title"
    assert nearest("jobtitel", ["title", "jobtitle"]) == "jobtitle"
    assert nearest("x", []) is None


def test_several_faults_are_one_error_and_nothing_is_selected() -> None:
    """All of them at once, so that they are put right at once."""
    error = refused(
        Pick(Entity.CONTACT, "colour", marketo="favouriteColour"),
        Pick(Entity.LEAD, "jobtitel"),
    )
    assert type(error) is FieldError
    assert str(error) == (
        f"2 of 2 picks refused, none selected\n"
        f"  FieldCreationError: contact.colour{NO_COLUMN}\n"
        f"  UnknownFieldError: lead.jobtitel is not in Dynamics; nearest: jobtitle."
    )
    assert [type(fault) for fault in error.faults] == [FieldCreationError, UnknownFieldError]


def test_one_bad_pick_stops_the_good_ones() -> None:
    """All or nothing."""
    error = refused(Pick(Entity.LEAD, "jobtitle"), Pick(Entity.LEAD, "jobtitel"), Pick(Entity.LEAD, "telephone1"))
    assert isinstance(error, UnknownFieldError)


def test_a_marketo_field_is_fed_once() -> None:
    """By one field of each entity: a lead's and a contact's are the same person's at different times."""
    fed = "lead.telephone1: title is fed by jobtitle already. Deselect that one, or choose another Marketo field."
    assert str(refused(Pick(Entity.LEAD, "jobtitle"), Pick(Entity.LEAD, "telephone1", marketo="title"))) == fed
    current = select(Pick(Entity.LEAD, "jobtitle")).added
    assert str(refused(Pick(Entity.LEAD, "telephone1", marketo="title"), current=current)) == fed
    both = select(Pick(Entity.LEAD, "jobtitle"), Pick(Entity.CONTACT, "jobtitle"))
    assert len(both.added) == 2
    new = [Pick(Entity.LEAD, name, marketo=NewField("Tier")) for name in ("new_tier", "jobtitle")]
    assert "is fed by new_tier already" in str(refused(*new))


GOOD = (
    Pick(Entity.LEAD, "jobtitle"),
    Pick(Entity.LEAD, "telephone1", direction=Direction.TO_MARKETO),
    Pick(Entity.CONTACT, "mkt_leadscore"),
    Pick(Entity.CONTACT, "new_tier", marketo=NewField("Tier")),
    Pick(SUBSCRIPTION, "new_plan"),
    Pick(Entity.ACCOUNT, "name"),
)


@LAW
@given(st.lists(st.sampled_from(GOOD)), st.randoms(use_true_random=False))
def test_what_was_selected_stays_selected(picks: list[Pick], chance: random.Random) -> None:
    """Whatever is selected, selecting any of it again changes nothing; nothing is selected twice."""
    added = select(*picks).added
    assert {(pair.entity, pair.dynamics) for pair in added} == {(pick.entity, pick.dynamics) for pick in picks}
    assert len(added) == len({(pair.entity, pair.dynamics) for pair in added})
    again = list(picks)
    chance.shuffle(again)
    assert select(*again, current=added).added == ()


# -- defaults ------------------------------------------------------------------------------------------


def test_the_defaults_are_the_standard_mapping_where_both_have_it() -> None:
    """What is not in either system, not eligible, or not to be paired, is left out."""
    picks = defaults([Entity.LEAD], DYNAMICS, MARKETO, ())
    assert [(pick.dynamics, pick.marketo, pick.direction) for pick in picks] == [
        ("emailaddress1", "email", None),
        ("jobtitle", "title", None),
        ("telephone1", "phone", None),
        ("statecode", "leadStatus", Direction.TO_MARKETO),
    ]
    assert [pick.dynamics for pick in defaults([Entity.ACCOUNT], DYNAMICS, MARKETO, ())] == ["name"]
    assert defaults([Entity.OPPORTUNITY, Entity.TEAM], DYNAMICS, MARKETO, ()) == []


def test_a_default_that_does_not_fit_is_left_out() -> None:
    """Of another type here, not readable there: the others are selected all the same."""
    dynamics: DynamicsSchema = {
        Entity.LEAD: by_name(spec("jobtitle", "date"), spec("telephone1", readable=False), spec("emailaddress1"))
    }
    assert [pick.dynamics for pick in defaults([Entity.LEAD], dynamics, MARKETO, ())] == ["emailaddress1"]


@pytest.mark.parametrize(
    ("entities", "selected", "references"),
    [
        ([Entity.CONTACT], (), set()),
        ([Entity.CONTACT], (Entity.USER,), {"ownerid"}),
        ([Entity.CONTACT, Entity.ACCOUNT], (), {"parentcustomerid"}),
        ([Entity.CONTACT, Entity.ACCOUNT, Entity.USER], (), {"parentcustomerid", "ownerid"}),
    ],
)
def test_a_reference_is_a_default_where_its_target_is_synced(
    entities: list[Entity], selected: tuple[Entity, ...], references: set[str]
) -> None:
    """Selected now, or before."""
    picks = defaults(iter(entities), DYNAMICS, MARKETO, selected)
    assert {pick.dynamics for pick in picks} & {"ownerid", "parentcustomerid"} == references


def test_the_defaults_can_be_selected() -> None:
    """All of them, of both systems' whole standard schema."""
    dynamics: DynamicsSchema = {
        entity: by_name(*(spec(row.dynamics) for row in STANDARD_MAPPING[entity])) for entity in Entity
    }
    marketo: dict[str, dict[str, FieldSpec]] = {}
    for entity in Entity:
        marketo.setdefault(entity.marketo_object, {}).update(
            by_name(*(spec(row.marketo) for row in STANDARD_MAPPING[entity]))
        )
    picks = defaults(Entity, dynamics, marketo, ())
    changes = selection(picks, dynamics=dynamics, marketo=marketo, current=())
    assert len(changes.added) == len(picks) == sum(map(len, STANDARD_MAPPING.values()))
    assert selection(picks, dynamics=dynamics, marketo=marketo, current=changes.added).added == ()


# -- how a pair starts ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("direction", "populated", "state"),
    [
        (Direction.BOTH, True, PairState.BACKFILLING),
        (Direction.TO_MARKETO, True, PairState.BACKFILLING),
        (Direction.TO_DYNAMICS, True, PairState.ACTIVE),
        (Direction.BOTH, False, PairState.ACTIVE),
    ],
)
def test_how_a_selected_pair_starts(direction: Direction, populated: bool, state: PairState) -> None:
    """With a backfill, if there is anything to refresh in Marketo; and with a baseline of its own."""
    pair = FieldPair(Entity.LEAD, "jobtitle", "title", direction=direction)
    started = reselected(pair, 2, populated=populated)
    assert (started.state, started.selection, started.key) == (state, 3, "jobtitle#3")
    assert reselected(pair, 0, populated=populated).key == "jobtitle"
