"""Workers of several machines: what TF_CONFIG may say, and how they find each other."""

import contextlib
import json
import socket
import threading

import pytest

from cunet_tf.errors import CUNetError
from cunet_tf.trainers import cluster
from cunet_tf.trainers.cluster import VARIABLE, Cluster
from cunet_tf.trainers.study.measure_devices import free_addresses

TWO = {"worker": ["127.0.0.1:3456", "127.0.0.1:3457"]}


def parsed(workers, kind="worker", index=0):
    config = {"cluster": workers, "task": {"type": kind, "index": index}}
    return Cluster.from_environment({VARIABLE: json.dumps(config)})


def test_the_first_worker_or_the_chief_writes():
    assert parsed(TWO).chief and not parsed(TWO, index=1).chief
    with_chief = {"chief": ["127.0.0.1:9"], **TWO}
    assert parsed(with_chief, "chief").chief
    assert parsed(with_chief, index=1) == Cluster(("127.0.0.1:9", *TWO["worker"]), 2)


@pytest.mark.parametrize(
    ("workers", "kind", "index", "words"),
    [
        ({"worker": []}, "worker", 0, "no worker"),
        ({**TWO, "ps": ["127.0.0.1:5"]}, "worker", 0, "names ps"),
        ({"worker": ["127.0.0.1"]}, "worker", 0, "'127.0.0.1' is no address: give host:port"),
        ({"worker": ["127.0.0.1:99999"]}, "worker", 0, "no address"),
        ({"worker": ["127.0.0.1:5", "127.0.0.1:5"]}, "worker", 0, "stands there twice"),
        ({"worker": ["no such host.invalid:5"]}, "worker", 0, "no address"),
        ({"worker": ["no-such-host.invalid:5"]}, "worker", 0, "no machine of that name"),
        (TWO, "worker", 2, "task worker 2 is none of the cluster's: worker 0 to 1"),
        (TWO, "worker", -1, "task worker -1"),
        (TWO, "chief", 0, "task chief 0"),
    ],
)
def test_a_wrong_cluster_is_named_at_once(workers, kind, index, words):
    with pytest.raises(CUNetError, match=words):
        parsed(workers, kind, index)


NOT_LISTS = '{"cluster": {"worker": 5}, "task": {"type": "worker", "index": 0}}'
NOT_A_NUMBER = '{"cluster": {"worker": []}, "task": {"type": "worker", "index": "first"}}'


@pytest.mark.parametrize("text", ["{", "[]", "{}", NOT_LISTS, NOT_A_NUMBER])
def test_what_is_not_tf_config_is_answered_with_an_example(text):
    with pytest.raises(CUNetError, match=r'TF_CONFIG is not as .*: \{"cluster": \{"worker": \["10\.0\.0\.1:3456'):
        Cluster.from_environment({VARIABLE: text})
    with pytest.raises(CUNetError, match="--strategy=multiworker needs TF_CONFIG"):
        Cluster.from_environment({})


def meet(clusters, plans, wait=20.0):
    """What each worker was told, ``""`` where it went on."""
    said = [""] * len(clusters)

    def one(place):
        try:
            clusters[place].meet(plans[place], wait)
        except CUNetError as error:
            said[place] = str(error)

    threads = [threading.Thread(target=one, args=(place,)) for place in range(len(clusters))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return said


def test_three_workers_meet_and_leave_their_addresses_free():
    names = tuple(free_addresses(3))
    assert meet([Cluster(names, index) for index in range(3)], [{"seed": 0}] * 3) == ["", "", ""]
    for name in names:
        socket.create_server(("127.0.0.1", int(name.rsplit(":", 1)[1]))).close()


def test_workers_that_train_different_things_are_told_what():
    names = tuple(free_addresses(2))
    said = meet([Cluster(names, index) for index in range(2)], [{"seed": 0}, {"seed": 1}], 3.0)
    assert any("trains something else: seed is" in each for each in said) and all(said)


def test_workers_of_different_clusters_are_told_so():
    names = tuple(free_addresses(2))
    said = meet([Cluster(names, 0), Cluster((names[0], names[1].replace("127.0.0.1", "localhost")), 1)], [{}, {}], 3.0)
    assert any("give all the same cluster, and each its own index" in each for each in said)


def test_a_worker_that_never_comes_is_named():
    names = tuple(free_addresses(2))
    assert "no word of worker 1 (" in meet([Cluster(names, 0)], [{}], 0.5)[0]


def test_an_address_that_is_taken_is_named():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        name = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(CUNetError, match=f"cannot listen at its address {name}"):
            Cluster((name, "127.0.0.1:9"), 0).meet({}, 1.0)


@contextlib.contextmanager
def server(say):
    """A listener that answers each caller with ``say(connection)``; its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    with listener.accept()[0] as connection:
                        say(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.mark.parametrize("words, heard", [(b'{"index": 1}\n', {"index": 1}), (b"no JSON\n", None), (b"", None),
                                          (b'{"index": 1', None)])  # fmt: skip
def test_whatever_answers_at_an_address_is_taken_for_a_worker_only_where_it_speaks_as_one(words, heard):
    with server(lambda connection: connection.sendall(words)) as address:
        assert cluster._ask(address, 0) == heard
    assert cluster._ask(address, 0) is None  # nobody is there any more


def test_an_answer_without_end_is_not_listened_to():
    one, other = socket.socketpair()
    with one, other:
        other.settimeout(5.0)  # a defect fails and does not hang
        thread = threading.Thread(target=one.sendall, args=(b"x" * (2 * cluster.LONGEST),), daemon=True)
        thread.start()
        assert cluster.LONGEST <= len(cluster._line(other)) < cluster.LONGEST + 4096
        other.shutdown(socket.SHUT_RDWR)


def test_who_asks_without_an_index_counts_as_nobody():
    (address,) = free_addresses(1)
    asked = set()
    with cluster._answering(address, {"index": 0}, asked):
        for words in (b"GET / HTTP/1.1\n", b"-1\n", b"2\n"):
            with socket.create_connection(cluster._parts(address)) as connection:
                connection.sendall(words)
                assert json.loads(cluster._line(connection)) == {"index": 0}
                connection.recv(1)  # the other side is done with us
    assert asked == {2}


@pytest.mark.parametrize("address, host, port", [("a.example:5", "a.example", 5), ("[::1]:3456", "::1", 3456)])
def test_addresses_of_either_kind(address, host, port):
    assert cluster.ADDRESS.fullmatch(address) and cluster._parts(address) == (host, port)


@pytest.mark.parametrize("address", ["::1:5", "a:", ":5", "a b:5", "a:5:6", "a:x", "127.0.0.1:0", "a:-5"])
def test_what_is_no_address(address):
    with pytest.raises(CUNetError, match="no address: give host:port"):
        parsed({"worker": [address]})
