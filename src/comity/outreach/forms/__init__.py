"""Web forms: built here, shown to anybody, answered by a mail with a link that makes a yes of what was ticked."""
