"""Tables of the casino floor, as they come in and as gold sums them."""
