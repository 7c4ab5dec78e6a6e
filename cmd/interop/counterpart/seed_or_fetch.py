"""Seeds or downloads one torrent with libtorrent until it is killed.

Prints "ready" when it listens and, as a seed, has checked its content, and
"complete" when it has all of it. With --watch it also prints, as JSON, which
pieces are verified and how many bytes were redundant, and ends with a SIGTERM after
it has told the tracker. With --frames it prints, as JSON, how many frames of the fast
extension went out and came in. With --metadata it ends as soon as it has what a
magnet link names.
"""

import argparse
import copy
import json
import re
import signal
import sys
import time

import libtorrent as lt

flags = argparse.ArgumentParser()
flags.add_argument("--torrent", required=True)
flags.add_argument("--dir", required=True)
flags.add_argument("--host", required=True)
flags.add_argument("--port", type=int, required=True)
flags.add_argument("--seed", action="store_true")
flags.add_argument("--super-seed", action="store_true")
flags.add_argument("--watch", action="store_true")
flags.add_argument("--frames", action="store_true")
flags.add_argument("--exchange", action="store_true")
flags.add_argument("--metadata", action="store_true")
flags.add_argument("--up", type=int, default=0)
flags.add_argument("--down", type=int, default=0)
flags.add_argument("--peer", action="append", default=[])
flags.add_argument("--dht", default="")
flags.add_argument("--encryption", choices=["off", "allowed", "handshake", "all"], default="off")
args = flags.parse_args()

categories = lt.alert.category_t
mask = categories.status_notification | categories.error_notification | categories.storage_notification
if args.watch:
    mask |= categories.piece_progress_notification
if args.frames:
    mask |= categories.peer_log_notification
disabled, enabled, forced = (int(p) for p in (lt.enc_policy.pe_disabled, lt.enc_policy.pe_enabled, lt.enc_policy.pe_forced))
policy, level = {
    "off": (disabled, lt.enc_level.pe_both),
    "allowed": (enabled, lt.enc_level.pe_both),
    "handshake": (forced, lt.enc_level.pe_plaintext),
    "all": (forced, lt.enc_level.pe_rc4),
}[args.encryption]
session = lt.session({
    "listen_interfaces": f"{args.host}:{args.port}",
    "outgoing_interfaces": args.host,
    "allow_multiple_connections_per_ip": True,
    "enable_dht": args.dht != "",
    "dht_bootstrap_nodes": "",
    # Nodes of a test share an address or a network.
    "dht_restrict_routing_ips": False,
    "dht_restrict_search_ips": False,
    "enable_lsd": False,
    "enable_upnp": False,
    "enable_natpmp": False,
    "enable_incoming_utp": False,
    "enable_outgoing_utp": False,
    "out_enc_policy": policy,
    "in_enc_policy": policy,
    "allowed_enc_level": int(level),
    "alert_mask": int(mask),
})
if args.torrent.startswith("magnet:"):
    params = lt.parse_magnet_uri(args.torrent)
else:
    params = lt.add_torrent_params()
    params.ti = lt.torrent_info(args.torrent)
params.save_path = args.dir
params.flags &= ~(lt.torrent_flags.auto_managed | lt.torrent_flags.paused)
if not args.exchange:
    params.flags |= lt.torrent_flags.disable_pex
if args.super_seed:
    params.flags |= lt.torrent_flags.super_seeding
handle = session.add_torrent(params)
if args.up:  # of the torrent: the limit of the session spares peers on the loopback
    handle.set_upload_limit(args.up)
if args.down:
    handle.set_download_limit(args.down)

if not args.seed:
    print("ready", flush=True)
ended = False


def end(_signal, _frame):
    global ended
    ended = True


if args.watch:
    signal.signal(signal.SIGTERM, end)
redundant = 0


def tell(pieces):
    """Prints what is new since the last time."""
    global redundant
    status = handle.status()
    vain = status.total_redundant_bytes + status.total_failed_bytes
    if pieces or vain != redundant:
        redundant = vain
        print(json.dumps({"Pieces": pieces, "Redundant": vain}), flush=True)


# Libtorrent's own counters leave out what comes in, so its log of frames is read.
frames = {"Out": {}, "In": {}}
logged = re.compile("(==>|<==) (SUGGEST|HAVE_ALL|HAVE_NONE|REJECT_PIECE|ALLOWED_FAST)")


def count(line):
    """Counts a frame of the fast extension."""
    if found := logged.search(line):
        way = frames["Out" if found[1] == "==>" else "In"]
        way[found[2]] = way.get(found[2], 0) + 1


def announce():
    """Has the DHT asked again while nobody is connected: its tables fill slowly.

    A bootstrap node of the settings would enter no table, and one that is added
    before the DHT runs is forgotten. Without metadata nothing is to be checked.
    """
    global announced
    known = checked or not handle.status().has_metadata
    if not args.dht or not known or handle.status().num_peers:
        return
    alone = session.status().dht_nodes == 0
    due = time.monotonic() - announced > (0.5 if args.metadata else 2)
    if alone and (due or args.metadata):
        node_host, node_port = args.dht.rsplit(":", 1)
        session.add_dht_node((node_host, int(node_port)))
    if due and not (alone and args.metadata):
        announced = time.monotonic()
        handle.force_dht_announce()


announced = 0
told = None
checked = verified = complete = False
while not ended:
    session.wait_for_alert(10 if args.metadata else 100)
    pieces = []
    for alert in session.pop_alerts():
        if isinstance(alert, lt.piece_finished_alert):
            pieces.append(alert.piece_index)
            continue
        if isinstance(alert, lt.peer_log_alert):
            count(alert.message())
            continue
        print(alert, file=sys.stderr, flush=True)
        if args.metadata and isinstance(alert, lt.metadata_received_alert):
            sys.exit()
        if isinstance(alert, lt.torrent_checked_alert):
            checked = True
            for peer in args.peer:  # one that is connected to before is dropped
                host, port = peer.rsplit(":", 1)
                handle.connect_peer((host, int(port)))
        if isinstance(alert, lt.cache_flushed_alert) and verified and not complete:
            complete = True
            if args.seed:
                print("ready", flush=True)
            print("complete", flush=True)
    announce()
    if args.watch:
        tell(pieces)
    if args.frames and frames != told:
        told = copy.deepcopy(frames)
        print(json.dumps(told), flush=True)
    if checked and not verified and handle.status().is_seeding:
        verified = True
        handle.flush_cache()  # what is verified may not be written yet
tell([])
session.remove_torrent(handle)
