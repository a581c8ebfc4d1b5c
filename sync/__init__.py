"""From the outbox to the city: the wire schema, the agent, the city client, and the reference receiver."""
