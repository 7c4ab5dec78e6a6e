package outfile

// noFollow is not known to Windows, where only administrators make links.
const noFollow = 0
