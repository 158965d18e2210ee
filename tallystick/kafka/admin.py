"""Topics are made at start where the broker allows it; what is there already is verified and never changed."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, UnknownTopicOrPartitionError, for_code

from tallystick.errors import SetupError, Unavailable
from tallystick.kafka.topics import ALL, Topic
from tallystick.settings import KafkaSettings

_TRIES = 100
_AGAIN_S = 0.1


async def ensure_topics(bootstrap: str, settings: KafkaSettings, topics: Sequence[Topic] = ALL) -> list[str]:
    """Make the missing topics and verify the others; returns the names of those made.

    Raises `SetupError` that lists every topic that is missing or cannot serve, and `Unavailable` when no broker
    answers. A topic with another number of partitions serves as it is.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=15_000)
    try:
        await admin.start()
        present = set(await admin.list_topics())
        missing = [topic for topic in topics if settings.prefix + topic.name not in present]
        refused = await _create(admin, missing, settings)
        await _verify(admin, topics, settings, refused)
    except (KafkaError, TimeoutError) as error:
        raise Unavailable(f"Kafka at {bootstrap} does not answer: {type(error).__name__}") from error
    finally:
        await admin.close()
    return [settings.prefix + topic.name for topic in missing]


async def _create(admin: AIOKafkaAdminClient, missing: Sequence[Topic], settings: KafkaSettings) -> Mapping[str, str]:
    """Returns the names that the broker refused to make, each with its reason."""
    if not missing:
        return {}
    wanted = [
        NewTopic(
            settings.prefix + topic.name,
            topic.partitions or settings.partitions,
            settings.replication,
            topic_configs=topic.configs(settings.replication),
        )
        for topic in missing
    ]
    answer = await admin.create_topics(wanted)
    errors = {name: (for_code(code), message) for name, code, message in answer.topic_errors}
    return {
        name: message or error.description
        for name, (error, message) in errors.items()
        # Another process of ours was faster.
        if error.errno not in (0, TopicAlreadyExistsError.errno)
    }


async def _verify(
    admin: AIOKafkaAdminClient, topics: Sequence[Topic], settings: KafkaSettings, refused: Mapping[str, str]
) -> None:
    findings = [f"{name} is not there and the broker refuses to make it: {why}" for name, why in refused.items()]
    there = [topic for topic in topics if settings.prefix + topic.name not in refused]
    found = await _configs(admin, [settings.prefix + topic.name for topic in there])
    for topic in there:
        name = settings.prefix + topic.name
        findings += (f"{name}: {finding}" for finding in _judge(topic, found.get(name, {})))
    if findings:
        raise SetupError("the Kafka topics cannot be used as they stand:\n  " + "\n  ".join(findings))


async def _configs(admin: AIOKafkaAdminClient, names: Sequence[str]) -> dict[str, dict[str, str]]:
    """What the broker tells about each topic; nothing about those that it does not let us describe.

    A topic that was just made may be unknown to the broker that is asked, so it is asked again for a while.
    """
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    for _ in range(_TRIES):
        answers = [one for answer in await admin.describe_configs(resources) for one in answer.resources]
        if not any(code == UnknownTopicOrPartitionError.errno for code, *_ in answers):
            break
        await asyncio.sleep(_AGAIN_S)
    return {name: {entry[0]: entry[1] for entry in entries} for code, _, _, name, entries in answers if code == 0}


def _judge(topic: Topic, found: Mapping[str, str]) -> Iterable[str]:
    wanted = topic.configs(1)
    size, allowed = int(wanted["max.message.bytes"]), found.get("max.message.bytes")
    if allowed is not None and int(allowed) < size:
        yield f"max.message.bytes is {allowed}, an order may need {size}; set it on the topic"
    policy = found.get("cleanup.policy")
    if policy is not None and policy != wanted["cleanup.policy"]:
        yield f"cleanup.policy is {policy!r}, it has to be {wanted['cleanup.policy']!r}"
    kept = found.get("retention.ms")
    if not topic.compacted and kept is not None and 0 <= int(kept) < int(wanted["retention.ms"]):
        yield f"retention.ms is {kept}, messages are needed for {wanted['retention.ms']}"
