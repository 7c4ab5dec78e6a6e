package observe

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

func describeMetric(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("kouzui_"+name, help, labels, nil)
}

var (
	metricBuild = describeMetric("build_info", "Always 1.", "version")

	metricTorrent    = describeMetric("torrent_info", "Always 1.", "torrent", "name", "state")
	metricDownRate   = describeMetric("download_rate_bytes", "Payload received, bytes a second.", "torrent")
	metricUpRate     = describeMetric("upload_rate_bytes", "Payload sent, bytes a second.", "torrent")
	metricDownloaded = describeMetric("downloaded_bytes_total", "Payload received in this run.", "torrent")
	metricUploaded   = describeMetric("uploaded_bytes_total", "Payload sent in this run.", "torrent")
	metricWasted     = describeMetric("wasted_bytes_total", "Payload received and of no use.", "torrent")
	metricCorrupt    = describeMetric("corrupt_pieces_total", "Pieces that failed their hash.", "torrent")
	metricLength     = describeMetric("length_bytes", "Length of the torrent's content.", "torrent")
	metricHave       = describeMetric("have_bytes", "Verified bytes.", "torrent")
	metricPieces     = describeMetric("pieces", "Pieces of the torrent.", "torrent")
	metricHavePieces = describeMetric("have_pieces", "Verified pieces.", "torrent")
	metricPeers      = describeMetric("peers", "Connected peers.", "torrent")
	metricSources    = describeMetric("peers_by_source", "Connected peers, by where their addresses came from.", "torrent", "source")
	metricAddresses  = describeMetric("known_addresses", "Addresses that may be dialled, or are connected, by where they came from.", "torrent", "source")
	metricNodes      = describeMetric("dht_nodes", "Nodes that the DHT knows, of both address families.", "torrent")
	metricUnchoked   = describeMetric("unchoked_by_peers", "Connected peers that let us download.", "torrent")
	metricSeeds      = describeMetric("seeds", "Connected peers that have everything.", "torrent")

	metricActors   = describeMetric("actors", "Living actors.", "kind")
	metricRestarts = describeMetric("actor_restarts_total", "Incarnations beyond the first.", "kind")
	metricFailures = describeMetric("actor_failures_total", "Failures, escalated ones among them.", "kind")
	metricDepthMax = describeMetric("mailbox_depth_max", "Messages in the fullest mailbox, sampled once a second.", "kind")
	metricDepthSum = describeMetric("mailbox_depth_sum", "Messages in all mailboxes, sampled once a second.", "kind")

	metricEvents  = describeMetric("trace_events_total", "Events of the supervision trace.")
	metricDropped = describeMetric("trace_dropped_events_total", "Events of the supervision trace that came too fast to be shown.")
	metricBlocked = describeMetric("blocked_addresses_total", "Addresses kept out by the blocklist.", "direction")
	metricSending = describeMetric("send_cost_seconds", "Processor time of the sending thread for a MiB, by the way of payload from file to socket, as last measured.", "way", "chosen")
	metricLetters = describeMetric("dead_letters_total", "Messages that found no receiver.")
)

// registry collects the metrics of the client, of Go and of the process.
func (s *Server) registry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collector{s}, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// collector makes metrics of the model.
type collector struct{ *Server }

// Describe implements prometheus.Collector. It announces no metrics, so the
// registry checks those that are collected.
func (collector) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (c collector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	count := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
	}
	m := c.model.census()
	gauge(metricBuild, 1, c.Version)
	for _, t := range m.torrents {
		gauge(metricTorrent, 1, t.Hash, t.Name, t.State)
		gauge(metricDownRate, t.downNow, t.Hash)
		gauge(metricUpRate, t.upNow, t.Hash)
		count(metricDownloaded, float64(t.Downloaded), t.Hash)
		count(metricUploaded, float64(t.Uploaded), t.Hash)
		count(metricWasted, float64(t.Wasted), t.Hash)
		count(metricCorrupt, float64(t.Corrupt), t.Hash)
		gauge(metricLength, float64(t.Length), t.Hash)
		gauge(metricHave, float64(t.Have), t.Hash)
		gauge(metricPieces, float64(t.Pieces), t.Hash)
		gauge(metricHavePieces, float64(t.HavePieces), t.Hash)
		gauge(metricPeers, float64(t.Peers), t.Hash)
		gauge(metricNodes, float64(t.DHTNodes), t.Hash)
		for _, n := range t.Sources {
			gauge(metricSources, float64(n.Connected), t.Hash, n.Source)
			gauge(metricAddresses, float64(n.Known), t.Hash, n.Source)
		}
		gauge(metricUnchoked, float64(t.Unchoked), t.Hash)
		gauge(metricSeeds, float64(t.Seeds), t.Hash)
	}
	actors, deepest, waiting := map[string]int{}, map[string]int{}, map[string]int{}
	for _, r := range m.rows {
		actors[r.Kind]++
		waiting[r.Kind] += r.Depth
		deepest[r.Kind] = max(deepest[r.Kind], r.Depth)
	}
	for kind, n := range actors {
		gauge(metricActors, float64(n), kind)
		gauge(metricDepthMax, float64(deepest[kind]), kind)
		gauge(metricDepthSum, float64(waiting[kind]), kind)
		// A counter is there from the start, at 0: Prometheus can compute the rate of
		// the first restart only from two values.
		count(metricRestarts, float64(m.restarts[kind]), kind)
		count(metricFailures, float64(m.failed[kind]), kind)
	}
	for kind := range m.failed {
		if actors[kind] == 0 {
			count(metricRestarts, float64(m.restarts[kind]), kind)
			count(metricFailures, float64(m.failed[kind]), kind)
		}
	}
	count(metricEvents, float64(m.events))
	count(metricDropped, float64(m.lost))
	count(metricBlocked, float64(m.blockedIn), "inbound")
	count(metricBlocked, float64(m.blockedOut), "outbound")
	for way, cost := range map[string]time.Duration{"sendfile": m.sending.Sendfile, "copied": m.sending.Copied, "mapped": m.sending.Mapped} {
		if cost > 0 {
			gauge(metricSending, cost.Seconds(), way, strconv.FormatBool(way == m.sending.Chosen))
		}
	}
	count(metricLetters, float64(c.tree.DeadLetters()))
}
