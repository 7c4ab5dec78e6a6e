"""Seeds or downloads one torrent with libtorrent until it is killed.

Prints "ready" when it listens and, as a seed, has checked its content, and
"complete" when it has all of it.
"""

import argparse
import sys

import libtorrent as lt

flags = argparse.ArgumentParser()
flags.add_argument("--torrent", required=True)
flags.add_argument("--dir", required=True)
flags.add_argument("--host", required=True)
flags.add_argument("--port", type=int, required=True)
flags.add_argument("--seed", action="store_true")
flags.add_argument("--peer", action="append", default=[])
args = flags.parse_args()

categories = lt.alert.category_t
session = lt.session({
    "listen_interfaces": f"{args.host}:{args.port}",
    "outgoing_interfaces": args.host,
    "allow_multiple_connections_per_ip": True,
    "enable_dht": False,
    "enable_lsd": False,
    "enable_upnp": False,
    "enable_natpmp": False,
    "enable_incoming_utp": False,
    "enable_outgoing_utp": False,
    "out_enc_policy": int(lt.enc_policy.pe_disabled),
    "in_enc_policy": int(lt.enc_policy.pe_disabled),
    "alert_mask": int(categories.status_notification | categories.error_notification | categories.storage_notification),
})

params = lt.add_torrent_params()
params.ti = lt.torrent_info(args.torrent)
params.save_path = args.dir
params.flags &= ~(lt.torrent_flags.auto_managed | lt.torrent_flags.paused)
params.flags |= lt.torrent_flags.disable_pex
handle = session.add_torrent(params)

if not args.seed:
    print("ready", flush=True)
checked = verified = complete = False
while True:
    session.wait_for_alert(100)
    for alert in session.pop_alerts():
        print(alert, file=sys.stderr, flush=True)
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
    if checked and not verified and handle.status().is_seeding:
        verified = True
        handle.flush_cache()  # what is verified may not be written yet
