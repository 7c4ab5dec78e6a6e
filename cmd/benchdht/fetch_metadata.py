"""Fetches what a magnet link names by the DHT, with libtorrent, and ends.

The arguments are the link, the address to listen at and that of a node.
"""

import sys
import time

import libtorrent as lt

link, here, node = sys.argv[1:]
session = lt.session({
    "listen_interfaces": here,
    "outgoing_interfaces": here.rsplit(":", 1)[0],
    "allow_multiple_connections_per_ip": True,
    "enable_dht": True,
    "dht_bootstrap_nodes": "",
    "dht_restrict_routing_ips": False,
    "dht_restrict_search_ips": False,
    "enable_lsd": False,
    "enable_upnp": False,
    "enable_natpmp": False,
    "enable_incoming_utp": False,
    "enable_outgoing_utp": False,
    "alert_mask": int(lt.alert.category_t.status_notification),
})
host, port = node.rsplit(":", 1)
params = lt.parse_magnet_uri(link)
params.save_path = "."
params.flags &= ~(lt.torrent_flags.auto_managed | lt.torrent_flags.paused)
handle = session.add_torrent(params)
asked = 0
while True:
    session.wait_for_alert(10)
    for alert in session.pop_alerts():
        if isinstance(alert, lt.metadata_received_alert):
            sys.exit()
    # A node that is added before the DHT runs is forgotten, and the first search
    # of an empty table finds nobody: libtorrent itself searches again much later.
    if session.status().dht_nodes == 0:
        session.add_dht_node((host, int(port)))
    elif time.monotonic() - asked > 0.5:
        asked = time.monotonic()
        handle.force_dht_announce()
