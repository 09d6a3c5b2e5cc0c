# The peer of named_semaphore.rs: python3 examples/named_semaphore.py ping|pong [NAME]
import sys
from posix_ipc import O_CREAT, Semaphore

role, name = (sys.argv[1:] + ["/rawipc-turn"])[:2]
ping = Semaphore(name + "-ping", O_CREAT, initial_value=1)
pong = Semaphore(name + "-pong", O_CREAT, initial_value=0)
my_turn, their_turn = (ping, pong) if role == "ping" else (pong, ping)
for number in range(1, 6):
    my_turn.acquire()
    print(role, number, flush=True)
    their_turn.release()
if role == "pong":
    ping.unlink()
    pong.unlink()
