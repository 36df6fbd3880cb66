"""A service, or a listener on a subject, for the tests: started with one JSON argument.

Prints one JSON line with its id as soon as it runs, and ends on SIGTERM or when its connection is
closed for good.
"""

import asyncio
import json
import signal
import sys

import nats
import nats.micro
from nats.micro.request import ServiceError


def answering(fails_on):
    async def answer(request):
        if request.data.decode() in fails_on:
            raise ServiceError("500", "asked to fail")
        await request.respond(request.data)

    return answer


async def start_service(client, plan):
    service = await nats.micro.add_service(
        client,
        name=plan["name"],
        version=plan["version"],
        description=plan["description"],
        metadata=plan["metadata"],
        queue_group=plan["queue_group"],
    )
    for endpoint in plan["endpoints"]:
        await service.add_endpoint(
            name=endpoint["name"], subject=endpoint["subject"], handler=answering(plan["fails_on"])
        )
    return service.id


async def listen(client, plan):
    async def ignore(_message):
        pass

    await client.subscribe(plan["listen"], cb=ignore)
    return plan["listen"]


async def main(plan):
    done = asyncio.Event()

    async def closed():
        done.set()

    async def silent(_error):
        pass

    client = await nats.connect(
        servers=plan["servers"],
        user=plan["user"],
        password=plan["password"],
        name=plan["connection_name"],
        allow_reconnect=plan["reconnect"],
        max_reconnect_attempts=-1 if plan["reconnect"] else 0,
        reconnect_time_wait=0.1,
        dont_randomize=True,
        closed_cb=closed,
        error_cb=silent,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, done.set)
    identity = await (listen if plan["listen"] else start_service)(client, plan)
    await client.flush()
    print(json.dumps({"id": identity}), flush=True)
    await done.wait()
    if not client.is_closed:
        await client.close()


asyncio.run(main(json.loads(sys.argv[1])))
