"""The router: decides who is offered a chat, and every step until the chat is over."""
