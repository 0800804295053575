"""A Dynamics organisation that answers as it is told to, over httpx's own mock transport."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote

import httpx

from mkdyn import ClientCredentials, RestDynamics
from mkdyn.adapters.dynamics.batch import Answer, Part

URL: Final = "https://acme.crm4.dynamics.com"
API: Final = f"{URL}/api/data/v9.2"
ORGANIZATION: Final = "0a000000-0000-4000-8000-000000000001"
USER: Final = "0a000000-0000-4000-8000-000000000002"
DATE: Final = "Tue, 14 Jul 2026 06:30:00 GMT"
CREDENTIALS: Final = ClientCredentials(tenant="acme.example", client_id="app", client_secret="s3cr3t~canary")

Json = Mapping[str, Any]
Handler = Callable[[Part], Answer]


def guid(number: int) -> str:
    """A GUID of its own for each number."""
    return f"{number:08x}-0000-4000-8000-000000000000"


def reply(body: Json | None = None, /, status: int = 200, **headers: str) -> Answer:
    """An answer with a JSON body, or none."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status=status, headers=named, body=b"" if body is None else json.dumps(body).encode())


def refusal(status: int, code: str = "", message: str = "") -> Answer:
    """A refusal as Dynamics words it."""
    return reply({"error": {"code": code, "message": message}}, status)


def listed(*items: Json, **more: object) -> Answer:
    """A list of objects."""
    return reply({"value": list(items), **more})


def row(number: int, version: int = 1, **values: object) -> Json:
    """A lead."""
    return {"@odata.etag": f'W/"{version}"', "leadid": guid(number), **values}


def column(name: str, kind: str, number: int, **more: object) -> Json:
    """What is common to all types of columns."""
    return {
        "LogicalName": name, "MetadataId": guid(number), "AttributeTypeName": {"Value": f"{kind}Type"},
        "AttributeOf": None, "DisplayName": {"UserLocalizedLabel": {"Label": name.title(), "LanguageCode": 1033}},
        "RequiredLevel": {"Value": "None"}, "IsValidForCreate": True, "IsValidForUpdate": True,
        "IsValidForRead": True, "IsSecured": False, "CanBeSecuredForRead": True, **more,
    }  # fmt: skip


def option(number: int, **labels: str) -> Json:
    """A choice, with its labels by language."""
    told = [{"Label": label, "LanguageCode": int(code[1:])} for code, label in labels.items()]
    return {"Value": number, "Label": {"LocalizedLabels": told, "UserLocalizedLabel": told[0]}}


#: A table with a column of most kinds.
COLUMNS: Final = (
    column("leadid", "Uniqueidentifier", 100, IsValidForUpdate=False, CanBeSecuredForRead=False),
    column("lastname", "String", 101, RequiredLevel={"Value": "ApplicationRequired"}),
    column("jobtitle", "String", 102),
    column("emailaddress1", "String", 103),
    column("revenue", "Money", 104),
    column("score", "Integer", 105),
    column("rating", "Decimal", 106, IsValidForCreate=False, IsValidForUpdate=False),
    column("donotphone", "Boolean", 107),
    column("quality", "Picklist", 108),
    column("statecode", "State", 109, IsValidForCreate=False),
    column("createdon", "DateTime", 110, IsValidForCreate=False, IsValidForUpdate=False),
    column("day", "DateTime", 111),
    column("wall", "DateTime", 112),
    column("campaign", "DateTime", 113),
    column("parentaccountid", "Lookup", 114),
    column("customerid", "Customer", 115),
    column("ownerid", "Owner", 116),
    column("owneridname", "String", 117, AttributeOf="ownerid"),
    column("owneridtype", "EntityName", 118),
    column("photo", "Image", 119),
    column("strange", "PartyList", 120),
)
TYPED: Final[Mapping[str, Sequence[Json]]] = {
    "String": [
        {"LogicalName": "lastname", "MaxLength": 50, "FormatName": {"Value": "Text"}},
        {"LogicalName": "jobtitle", "MaxLength": 100, "FormatName": {"Value": "Text"}},
        {"LogicalName": "emailaddress1", "MaxLength": 100, "FormatName": {"Value": "Email"}},
    ],
    "Money": [{"LogicalName": "revenue", "MinValue": 0.0, "MaxValue": 1e9, "Precision": 2}],
    "Integer": [{"LogicalName": "score", "MinValue": 0, "MaxValue": 100}],
    "Decimal": [{"LogicalName": "rating", "MinValue": 0.0, "MaxValue": 5.0, "Precision": 1}],
    "Boolean": [{"LogicalName": "donotphone", "DefaultValue": False}],
    "Picklist": [{"LogicalName": "quality", "OptionSet": {"Options": [
        option(1, l1033="Hot", l1031="Heiß"), option(2, l1033="Cold", l1031="Kalt")]}}],
    "State": [{"LogicalName": "statecode", "OptionSet": None, "GlobalOptionSet": {"Options": [option(0, l1033="Open")]}}],
    "DateTime": [
        {"LogicalName": "createdon", "Format": "DateAndTime", "DateTimeBehavior": {"Value": "UserLocal"}},
        {"LogicalName": "day", "Format": "DateOnly", "DateTimeBehavior": {"Value": "DateOnly"}},
        {"LogicalName": "wall", "Format": "DateAndTime", "DateTimeBehavior": {"Value": "TimeZoneIndependent"}},
        {"LogicalName": "campaign", "Format": "DateOnly", "DateTimeBehavior": {"Value": "UserLocal"}},
    ],
    "Lookup": [
        {"LogicalName": "parentaccountid", "Targets": ["account"]},
        {"LogicalName": "customerid", "Targets": ["account", "contact"]},
        {"LogicalName": "ownerid", "Targets": ["systemuser", "team"]},
    ],
}  # fmt: skip
RELATIONSHIPS: Final = [
    {"ReferencingAttribute": field, "ReferencedEntity": table, "ReferencingEntityNavigationPropertyName": name}
    for field, table, name in [
        ("parentaccountid", "account", "new_ParentAccount"),
        ("customerid", "account", "customerid_account"),
        ("customerid", "contact", "customerid_contact"),
        ("ownerid", "owner", "ownerid"),
    ]
]
SETS: Final = {
    "lead": "leads",
    "account": "accounts",
    "contact": "contacts",
    "systemuser": "systemusers",
    "team": "teams",
}
VERBS: Final = ("Create", "Read", "Write", "Delete")


def definition(name: str, **more: object) -> Json:
    """What a table says of itself."""
    return {
        "LogicalName": name, "SchemaName": name.title(), "EntitySetName": SETS[name],
        "PrimaryIdAttribute": "systemuserid" if name == "systemuser" else f"{name}id",
        "ChangeTrackingEnabled": True, "IsOptimisticConcurrencyEnabled": True, **more,
    }  # fmt: skip


class Organisation:
    """Answers by the first route that fits, those that came last first.

    Attributes:
        seen: Every request, those within batches one by one.
        calls: How many requests came over the line, those for tokens aside.
        faults: Answers, or errors, that come instead of the next ones; None is no fault.
    """

    def __init__(self) -> None:
        self.seen: list[Part] = []
        self.calls = 0
        self.tokens = 0
        self.faults: list[Answer | Exception | None] = []
        self._routes: list[tuple[re.Pattern[str], Handler]] = []
        self._describe()

    def on(self, pattern: str, *answers: Answer | Handler) -> None:
        """Have requests answered whose method and target fit, one after the other; the last answer goes on."""
        queue = list(answers)

        def answer(part: Part) -> Answer:
            found = queue.pop(0) if len(queue) > 1 else queue[0]
            return found if isinstance(found, Answer) else found(part)

        self._routes.insert(0, (re.compile(pattern), answer))

    def _describe(self) -> None:
        self.on(r".", refusal(404, "0x8006088a", "Resource not found for the segment."))
        self.on(r"GET WhoAmI$", reply({"OrganizationId": ORGANIZATION.upper(), "UserId": USER}))
        for name in SETS:
            self.on(rf"GET EntityDefinitions\(LogicalName='{name}'\)\?", reply(definition(name)))
            self.on(rf"GET EntityDefinitions\(LogicalName='{name}'\)\?.*Privileges", reply({"Privileges": []}))
        lead = r"GET EntityDefinitions\(LogicalName='lead'\)"
        self.on(rf"{lead}/Attributes\?", listed(*COLUMNS))
        self.on(rf"{lead}/Attributes\?.*SourceType", listed({"LogicalName": "rating", "SourceType": 2}))
        self.on(rf"{lead}/Attributes\?.*IsSecured eq true", listed())
        self.on(rf"{lead}/ManyToOneRelationships", listed(*RELATIONSHIPS))
        for kind in ("Memo", "BigInt", "Double", "MultiSelectPicklist", "Status", *TYPED):
            self.on(rf"{lead}/Attributes/Microsoft.Dynamics.CRM.{kind}Att", listed(*TYPED.get(kind, ())))
        self.grant()
        self.may(*VERBS)

    def may(self, *verbs: str, depth: str = "Global") -> None:
        """Give the user these privileges on leads, and no others."""
        held = [{"PrivilegeName": f"prv{verb}Lead", "Depth": depth} for verb in verbs]
        self.on(r"GET systemusers\(.*RetrieveUserPrivileges$", reply({"RolePrivileges": held}))

    def secure(self, *names: str) -> None:
        """Secure these columns, and no others."""
        found = [{**item, "IsSecured": item["LogicalName"] in names} for item in COLUMNS]
        secured = [item for item in found if item["IsSecured"]]
        lead = r"GET EntityDefinitions\(LogicalName='lead'\)"
        self.on(rf"{lead}/Attributes\?.*IsValidForRead", listed(*found))
        self.on(rf"{lead}/Attributes\?.*IsSecured eq true", listed(*secured))

    def grant(self, **rights: Sequence[str]) -> None:
        """Give the user rights on secured columns, by name, and no others."""
        ids = {item["LogicalName"]: item["MetadataId"] for item in COLUMNS}
        told = [
            {
                "AttributeId": ids[name].upper(),
                **{what: 4 if what in found else 0 for what in ("CanRead", "CanCreate", "CanUpdate")},
            }
            for name, found in rights.items()
        ]
        self.on(r"GET systemusers\(.*AttributePrivileges\(\)$", reply({"AttributePrivileges": told}))

    # -- the wire ---------------------------------------------------------------------------------------------

    def asked(self, pattern: str) -> list[Part]:
        """The requests that fit, so far."""
        return [part for part in self.seen if re.search(pattern, said(part))]

    def connector(self, **settings: Any) -> RestDynamics:  # noqa: ANN401 - whatever it takes
        """A connector to it."""
        client = httpx.AsyncClient(transport=httpx.MockTransport(self.handle))
        return RestDynamics(URL, **{"token": CREDENTIALS, "client": client, **settings})

    def handle(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        if request.url.host == "login.microsoftonline.com":
            self.tokens += 1
            return httpx.Response(200, json={"access_token": f"t0k3n{self.tokens}", "expires_in": 3599})
        self.calls += 1
        if self.faults and (fault := self.faults.pop(0)):
            if isinstance(fault, Exception):
                raise fault
            return httpx.Response(fault.status, headers=dict(fault.headers), content=fault.body)
        target = request.url.raw_path.decode()
        if target.endswith("/$batch"):
            return self._batch(request)
        answer = self.answer(
            Part(method=request.method, target=target, headers=dict(request.headers), body=request.content)
        )
        return httpx.Response(answer.status, headers={"date": DATE, **answer.headers}, content=answer.body)

    def answer(self, part: Part) -> Answer:
        """Answer one request, alone or in a batch."""
        self.seen.append(part)
        return next(handler(part) for pattern, handler in self._routes if pattern.search(said(part)))

    def _batch(self, request: httpx.Request) -> httpx.Response:
        boundary = request.headers["content-type"].partition('"')[2].rstrip('"')
        items = request.content.decode().replace("\r\n", "\n").split(f"--{boundary}\n")[1:]
        content = "\r\n".join([*(line for item in items for line in self._item(item)), "--b--", ""]).encode()
        return httpx.Response(
            200, headers={"content-type": "multipart/mixed; boundary=b", "date": DATE}, content=content
        )

    def _item(self, text: str) -> Sequence[str]:
        answers: list[Answer] = []
        for found in _REQUEST.finditer(text):
            headers = dict(line.split(": ", 1) for line in found[3].splitlines())
            part = Part(method=found[1], target=found[2], headers=headers, body=found[4].strip().encode() or None)
            answers.append(self.answer(part))
            if answers[-1].status >= 400:
                return ["--b", *told(answers[-1])]
        if "multipart/mixed" not in text:
            return ["--b", *told(answers[0])]
        inner = [line for answer in answers for line in ("--c", *told(answer))]
        return ["--b", "Content-Type: multipart/mixed; boundary=c", "", *inner, "--c--", ""]


_REQUEST: Final = re.compile(r"(?ms)^(GET|PATCH|POST|DELETE) (\S+) HTTP/1\.1\n(.*?)\n\n(.*?)(?=\n--|\Z)")


def told(answer: Answer) -> Sequence[str]:
    """An answer's lines within a batch."""
    head = [f"{name}: {value}" for name, value in answer.headers.items()]
    return ["Content-Type: application/http", "", f"HTTP/1.1 {answer.status} X", *head, "", answer.body.decode()]


def said(part: Part) -> str:
    """A request's method and target, as somebody reads them."""
    return f"{part.method} {unquote(part.target.removeprefix('/api/data/v9.2/'))}"
