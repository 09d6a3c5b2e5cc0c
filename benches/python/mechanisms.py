"""Two processes that send each other messages, as Python has it.

    mechanisms.py MECHANISM ping-pong|stream BYTES HOME AWAY

Says "ready", or why not. Then, for each line with a number on standard input, does it so many times
and writes nanoseconds to standard output, 8 bytes each: how long all took, and of ping-pongs also
how long each did, without the clock. Ends with its input.
"""

import ctypes
import gc
import itertools
import mmap
import multiprocessing
import os
import signal
import statistics
import sys
from array import array
from struct import Struct
from time import perf_counter_ns

WARM_UP = 10
NUMBER = Struct("Q")


class Failed(Exception):
    """Why there is no such mechanism here."""


def names():
    """Names that nobody has had."""
    return (f"/rawipc-benches-python-{os.getpid()}-{number}" for number in itertools.count())


# Each mechanism makes one way, for messages of so many bytes, of which there is room for several or
# not: a function that sends and one that receives. Nothing has a name for longer than it takes.


def message_queue(size, _several, names=names()):
    import posix_ipc

    def create(messages):
        name = next(names)
        queue = posix_ipc.MessageQueue(
            name, posix_ipc.O_CREX, max_messages=messages, max_message_size=size
        )
        queue.unlink()
        return queue

    try:
        # What the system gives anybody; or less, of what is too long for that.
        try:
            queue = create(10)
        except (OSError, ValueError):
            queue = create(4)
    except (OSError, ValueError) as why:
        raise Failed(f"no queue of such messages: {why}") from why
    return queue.send, lambda: queue.receive()[0]


def semaphores(size, several, names=names()):
    import posix_ipc

    def semaphore(value):
        made = posix_ipc.Semaphore(next(names), posix_ipc.O_CREX, initial_value=value)
        made.unlink()
        return made

    slots = max((256 << 10) // size, 8) if several else 1
    memory = posix_ipc.SharedMemory(next(names), posix_ipc.O_CREX, size=slots * size)
    memory.unlink()
    mapped = mmap.mmap(memory.fd, memory.size)
    memory.close_fd()
    full = semaphore(0)
    to, of = (itertools.cycle(range(0, slots * size, size)) for _ in range(2))
    if not several:
        # Of a ping-pong each message says that the one before it has been read.
        def send(message):
            mapped[0:size] = message
            full.release()

        def receive():
            full.acquire()
            return mapped[0:size]

        return send, receive
    free = semaphore(slots)

    def send(message):
        free.acquire()
        at = next(to)
        mapped[at : at + size] = message
        full.release()

    def receive():
        full.acquire()
        at = next(of)
        message = mapped[at : at + size]
        free.release()
        return message

    return send, receive


def pipe(_size, _several):
    reader, writer = multiprocessing.Pipe(duplex=False)
    return writer.send_bytes, reader.recv_bytes


def queue(_size, _several):
    made = multiprocessing.Queue()
    # A thread sends it later: by then it must not be another one.
    return lambda message: made.put(bytes(message)), made.get


MECHANISMS = {
    "message-queue": message_queue,
    "semaphores": semaphores,
    "pipe": pipe,
    "queue": queue,
}


class Check:
    """Messages that say which one they are."""

    def __init__(self, size):
        self.message = bytearray(b"\x5a" * size)
        self.numbers = itertools.count(1)

    def written(self):
        NUMBER.pack_into(self.message, 0, next(self.numbers))
        return self.message

    def check(self, message):
        """Of what has been received, if it is the next one."""
        number = next(self.numbers)
        if NUMBER.unpack_from(message)[0] != number or len(message) != len(self.message):
            raise AssertionError("the next message, and all of it")


class Ends:
    def __init__(self, size, send, receive):
        self.size, self.send, self.receive = size, send, receive
        self.sent, self.received = Check(size), Check(size)

    def ping(self, times):
        send, written, receive, check = (
            self.send, self.sent.written, self.receive, self.received.check,
        )  # fmt: skip
        for _ in range(WARM_UP):
            send(written())
            check(receive())
        each = array("Q", bytes(8 * times))
        start = before = perf_counter_ns()
        for index in range(times):
            send(written())
            check(receive())
            after = perf_counter_ns()
            each[index] = after - before
            before = after
        return before - start, each

    def pong(self, times):
        send, receive, check = self.send, self.receive, self.received.check
        for _ in range(WARM_UP + times):
            message = receive()
            check(message)
            send(message)
        return 0

    def stream(self, times):
        send, written = self.send, self.sent.written
        for _ in range(times):
            send(written())

    def drain(self, times):
        """How long it is from the first message to the last."""
        receive, check = self.receive, self.received.check
        check(receive())
        start = perf_counter_ns()
        for _ in range(times - 1):
            check(receive())
        return perf_counter_ns() - start


def clock():
    """What each ping-pong contains once."""
    times = [perf_counter_ns() for _ in range(1000)]
    return round(statistics.median(after - before for before, after in itertools.pairwise(times)))


def die_with(parent):
    """Whoever starts this has it gone when it is gone itself, however it ends."""
    PR_SET_PDEATHSIG = 1
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def read(descriptor):
    """A number; none at the end."""
    number = os.read(descriptor, NUMBER.size)
    return NUMBER.unpack(number)[0] if number else None


def partner(act, told, said):
    while (times := read(told)) is not None:
        os.write(said, NUMBER.pack(act(times)))


def main():
    mechanism, kind, size, home, away = sys.argv[1:]
    die_with(os.getppid())
    size, is_stream = int(size), kind == "stream"
    try:
        make = MECHANISMS[mechanism]
        (send, receive_there), (send_back, receive) = (make(size, is_stream) for _ in range(2))
    except (Failed, ImportError) as why:
        print(why, flush=True)
        return
    told, tell = os.pipe()
    hear, said = os.pipe()
    gc.disable()
    parent = os.getpid()
    if os.fork() == 0:
        die_with(parent)
        os.sched_setaffinity(0, {int(away)})
        os.close(tell)
        ends = Ends(size, send_back, receive_there)
        partner(ends.drain if is_stream else ends.pong, told, said)
        os._exit(0)
    os.sched_setaffinity(0, {int(home)})
    os.close(said)
    ends = Ends(size, send, receive)
    clock_itself = clock()
    out = sys.stdout.buffer
    out.write(b"ready\n")
    out.flush()
    for line in sys.stdin:
        times = int(line)
        os.write(tell, NUMBER.pack(times))
        each = array("Q")
        if is_stream:
            ends.stream(times)
        else:
            total, each = ends.ping(times)
            each = array("Q", (max(time - clock_itself, 1) for time in each))
        told_so = read(hear)
        if told_so is None:
            sys.exit("the partner is gone")
        out.write(NUMBER.pack(told_so if is_stream else total))
        out.write(each)
        out.flush()
    os.close(tell)
    os.wait()


main()
