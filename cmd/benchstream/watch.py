"""Watches a torrent with libtorrent as `benchstream` watches with Kouzui.

Says "first" when the first piece is there, "played STALLS SECONDS" when the film was
watched for so long, and "jumped SECONDS" when the piece is there that was jumped to.
Deadlines are set for the pieces ahead, the nearest first, as those do who stream with
libtorrent.
"""

import sys
import time

import libtorrent as lt

torrent, folder, host, rate, length, jump = sys.argv[1:7]
rate, length, jump = float(rate), float(length), int(jump)
session = lt.session({
    "listen_interfaces": f"{host}:6881",
    "outgoing_interfaces": host,
    "enable_dht": False,
    "enable_lsd": False,
    "enable_upnp": False,
    "enable_natpmp": False,
    "enable_incoming_utp": False,
    "enable_outgoing_utp": False,
})
params = lt.add_torrent_params()
params.ti = lt.torrent_info(torrent)
params.save_path = folder
params.flags &= ~(lt.torrent_flags.auto_managed | lt.torrent_flags.paused)
handle = session.add_torrent(params)
for peer in sys.argv[7:]:
    address, port = peer.rsplit(":", 1)
    handle.connect_peer((address, int(port)))
size, pieces = params.ti.piece_length(), params.ti.num_pieces()
AHEAD = max(4, (16 << 20) // size)


def expect(place):
    """Sets deadlines from a place on."""
    first = int(place // size)
    for i in range(first, min(first + AHEAD, pieces)):
        if not handle.have_piece(i):
            handle.set_piece_deadline(i, max(0, int((i * size - place) / rate * 1000)))


def wait(place):
    while not handle.have_piece(int(place // size)):
        time.sleep(0.01)


expect(0)
wait(0)
print("first", flush=True)
place, stalls, stalled, step = 0.0, 0, 0.0, 0.05
due, last = time.monotonic(), 0
for _ in range(int(length / step)):
    due += step
    place += rate * step
    if int(place // size) != last:
        last = int(place // size)
        expect(place)
    wait(place)
    late = time.monotonic() - due
    if late > 0.1:
        stalls, stalled, due = stalls + 1, stalled + late, due + late
    time.sleep(max(0, due - time.monotonic()))
print("played", stalls, stalled, flush=True)
handle.clear_piece_deadlines()
began = time.monotonic()
expect(jump)
wait(jump)
print("jumped", time.monotonic() - began, flush=True)
while True:
    time.sleep(1)
