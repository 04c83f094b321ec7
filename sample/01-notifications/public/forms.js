/** Runs `action` with the form's values when it is submitted, and shows in the form what comes of it. */
export function onSubmit(selector, action) {
  const form = document.querySelector(selector);
  const result = form.querySelector('[role=status]');
  form.onsubmit = async (event) => {
    event.preventDefault();
    try {
      result.textContent = await action(Object.fromEntries(new FormData(form)));
      result.dataset.outcome = 'done';
    } catch (error) {
      result.textContent = error.message;
      result.dataset.outcome = 'failed';
    }
  };
}
