// Adds a button to every command. Without scripts, or without a clipboard, the command can be selected as ever.
if (navigator.clipboard !== undefined) {
  for (const command of document.querySelectorAll('[data-copy]')) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'quiet small';
    button.textContent = 'Copy';
    button.addEventListener('click', async () => {
      await navigator.clipboard.writeText(command.textContent);
      button.textContent = 'Copied';
      setTimeout(() => {
        button.textContent = 'Copy';
      }, 2000);
    });
    command.after(button);
  }
}
