"""Tables of the compliance office: what it filed, must file, and looks into."""
