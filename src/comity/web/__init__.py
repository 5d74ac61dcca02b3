"""The shell: settings, addresses, base templates, components, what every page shares."""
