"""Tables: the one DataStore backend of the portal, and the seam through which every reader passes."""
