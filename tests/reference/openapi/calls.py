"""One call of each of the server's endpoints that succeeds, in an order in which it can."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import httpx

from mkdyn.domain import FieldSpec
from mkdyn.testing.servers.in_process import InProcess
from tests.contract.marketo_wire import URL
from tests.reference.openapi.exchanges import RecordingServer

_TODAY: Final = {"startAt": "2026-01-01T00:00:00Z", "endAt": "2026-01-02T00:00:00Z"}
_TEAM: Final = "dynamicsTeam_c"


class Clerk:
    """Calls every endpoint.

    Args:
        server: Whose.
        wait: Lets a bulk job come to its end.
    """

    def __init__(self, server: RecordingServer, wait: Callable[[], None]) -> None:
        self._server, self._wait = server, wait
        self._http = httpx.AsyncClient(transport=InProcess(server), base_url=URL)
        self._token = ""

    async def _call(self, method: str, path: str, body: object = None, **query: str) -> Any:  # noqa: ANN401 - JSON
        root = "" if path.startswith("bulk/") else "rest/v1/"
        sent: dict[str, Any] = {"files": {"file": ("a.csv", body)}} if isinstance(body, bytes) else {"json": body}
        headers = {"Authorization": f"Bearer {self._token}"}
        answer = await self._http.request(
            method, f"/{root}{path}.json", params=query, headers=headers, **({} if body is None else sent)
        )
        if not answer.headers["content-type"].startswith("application/json"):
            assert answer.status_code == 200, (path, answer.text)
            return answer.text
        found = answer.json()
        assert found["success"], (path, found)
        return found if "moreResult" in found and path.startswith("activities") else found.get("result", found)

    async def call_everything(self) -> None:
        """Call each endpoint."""
        await self._http.get("/identity/oauth/token", params={"grant_type": "client_credentials", "client_id": "x", "client_secret": "x"})  # fmt: skip
        who = {"grant_type": "client_credentials", "client_id": "mkdyn", "client_secret": "secret"}
        self._token = (await self._http.get("/identity/oauth/token", params=who)).json()["access_token"]
        await self._people()
        await self._objects()
        await self._types()
        await self._activities()
        await self._bulk()
        for path in ("stats/usage", "stats/errors"):
            await self._call("GET", path)
            await self._call("GET", f"{path}/last7days")

    async def _people(self) -> None:
        people = [{"email": f"{name}@example.com", "lastName": name} for name in "abc"]
        made = await self._call("POST", "leads", {"action": "createOrUpdate", "lookupField": "email", "input": people})
        [one, two, three] = [str(item["id"]) for item in made]
        await self._call("POST", "leads", {"action": "updateOnly", "lookupField": "id", "input": [{"id": 1}, {"id": int(one), "leadScore": 7, "phone": None}]})  # fmt: skip
        await self._call("POST", "leads", {"action": "updateOnly", "lookupField": "id", "input": [{"id": int(one), "lastName": "z"}]})  # fmt: skip
        await self._call("GET", f"lead/{one}", fields="email,lastName")
        await self._call("GET", "leads", filterType="id", filterValues=f"{one},{two}", fields="email", batchSize="1")
        await self._call("POST", f"leads/{one}/merge", leadIds=two)
        await self._call("POST", "leads/delete", {"input": [{"id": int(three)}, {"id": 1}]})
        await self._call("GET", "leads/describe")
        await self._call("GET", "leads/describe2")
        for path, field in (("leads", "email"), ("companies", "company"), ("opportunities", "name")):
            await self._call("GET", f"{path}/schema/fields", batchSize="5")
            await self._call("GET", f"{path}/schema/fields/{field}")
        tier = {"name": "tier", "displayName": "Tier", "dataType": "string"}
        await self._call("POST", "leads/schema/fields", {"input": [tier]})

    async def _objects(self) -> None:
        person = self._server.fake.records("lead")[0].key
        role = {"leadId": int(person), "role": "Buyer", "externalOpportunityId": "O1"}
        for path, record, field in (
            ("companies", {"externalCompanyId": "C1", "company": "Oak"}, "externalCompanyId"),
            ("salespersons", {"externalSalesPersonId": "S1", "email": "s@example.com"}, "externalSalesPersonId"),
            ("opportunities", {"externalOpportunityId": "O1", "name": "Deal"}, "externalOpportunityId"),
            ("opportunities/roles", role, "leadId"),
            (f"customobjects/{_TEAM}", {"dynamicsId": "T1", "name": "Harbour"}, "dynamicsId"),
        ):
            await self._call("GET", f"{path}/describe")
            for _ in range(2):
                await self._call("POST", path, {"action": "createOrUpdate", "dedupeBy": "dedupeFields", "input": [record, record]})  # fmt: skip
            if path == "opportunities/roles":
                by_key = {"filterType": "dedupeFields", "input": [role]}
                await self._call("POST", path, by_key, _method="GET")
            else:
                await self._call("GET", path, filterType=field, filterValues=str(record[field]), batchSize="5")
        for path, key in (
            ("opportunities/roles", role),
            ("opportunities", {"externalOpportunityId": "O1"}),
            ("salespersons", {"externalSalesPersonId": "S1"}),
            ("companies", {"externalCompanyId": "C1"}),
            (f"customobjects/{_TEAM}", {"dynamicsId": "T1"}),
        ):
            await self._call("POST", f"{path}/delete", {"deleteBy": "dedupeFields", "input": [key, key]})

    async def _types(self) -> None:
        await self._call("GET", "customobjects", names=_TEAM)
        car = {"action": "createOnly", "apiName": "car_c", "displayName": "Car"}
        await self._call("POST", "customobjects/schema", car)
        fields = [{"name": "vin", "displayName": "VIN", "dataType": "string", "isDedupeField": True}]
        await self._call("POST", "customobjects/schema/car_c/addField", {"input": fields})
        await self._call("POST", "customobjects/schema/car_c/approve")
        await self._call("GET", "customobjects/schema/car_c/describe", state="approved")
        await self._call("GET", "customobjects/schema", names="car_c")

    async def _activities(self) -> None:
        await self._call("GET", "activities/types")
        begun = await self._call("GET", "activities/pagingtoken", sinceDatetime="2025-12-31T00:00:00Z")
        token = begun["nextPageToken"]
        for path, more in (
            ("activities", {"activityTypeIds": "12,13,22,32"}),
            ("activities/leadchanges", {"fields": "lastName,leadScore,phone"}),
            ("activities/deletedleads", {}),
        ):
            page = {"nextPageToken": token, "moreResult": True}
            while page["moreResult"]:
                page = await self._call("GET", path, nextPageToken=page["nextPageToken"], **more)

    async def _bulk(self) -> None:
        self._server.fake.add_field("lead", FieldSpec(name="code", type="text"))
        people = b"code,email,leadScore\n1,a@example.com,1\n2,bademail,2\n3,c@example.com,no\n"
        teams = b"dynamicsId,name\nT2,Quay\n,Nobody\n"
        for path, status, content in (
            ("bulk/v1/leads", "", people), (f"bulk/v1/customobjects/{_TEAM}/import", "/status", teams),
        ):  # fmt: skip
            more: Mapping[str, str] = {"lookupField": "code"} if path == "bulk/v1/leads" else {}
            [job] = await self._call("POST", path, content, format="csv", **more)
            at = f"{path}/batch/{job['batchId']}" if path == "bulk/v1/leads" else f"{path}/{job['batchId']}"
            await self._call("GET", f"{at}{status}")
            self._wait()
            await self._call("GET", f"{at}{status}")
            for file in ("failures", "warnings"):
                await self._http.get(f"/{at}/{file}.json", headers={"Authorization": f"Bearer {self._token}"})
        for path, filter, fields in (
            ("bulk/v1/leads/export", {"createdAt": _TODAY}, ["id", "email"]),
            ("bulk/v1/activities/export", {"createdAt": _TODAY, "activityTypeIds": [12]}, ["marketoGUID", "leadId"]),
            (f"bulk/v1/customobjects/{_TEAM}/export", {"updatedAt": _TODAY}, ["dynamicsId"]),
        ):
            for end in ("enqueue", "cancel"):
                asked = {"format": "CSV", "fields": fields, "filter": filter}
                [job] = await self._call("POST", f"{path}/create", asked)
                await self._call("POST", f"{path}/{job['exportId']}/{end}")
                self._wait()
                await self._call("GET", f"{path}/{job['exportId']}/status")
                if end == "enqueue":
                    await self._call("GET", f"{path}/{job['exportId']}/file")
            await self._call("GET", path, batchSize="5", status="completed")
