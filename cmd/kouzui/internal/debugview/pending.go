package debugview

import (
	"fmt"

	"kouzui/wire/metainfo"
)

func (s *Session) pending(args []string) error {
	node := ""
	if len(args) > 0 && !counts(args[0]) {
		p, err := s.participant(args[0])
		if err != nil {
			return err
		}
		node, args = p.Name, args[1:]
	}
	n, err := number(args, preset)
	if err != nil {
		return err
	}
	due, all := s.Debugger.Due(node, int(min(n, mostOfOne)))
	return s.write(func() (lines []string) {
		for _, d := range due {
			text := s.paint().Faint(fmt.Sprintf("%12s s  ", seconds(d.At)))
			switch {
			case d.By != "":
				text += brief(d.By) + ": "
			case d.Host != "":
				text += d.Host + ": "
			}
			lines = append(lines, text+metainfo.Clean(d.What, mostWords))
		}
		if all == 0 {
			return []string{"nothing is due"}
		}
		return more(lines, all-len(due), "are due")
	}, func() (lines []any) {
		for _, d := range due {
			lines = append(lines, newDue(d))
		}
		return lines
	})
}
