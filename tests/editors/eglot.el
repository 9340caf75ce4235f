;;; Drives `pilotfish lsp' with eglot, which comes with Emacs, and no package of ours. The model behind it is scripted by the test that
;;; starts this: see tests/e2e/editors.rs. Arguments: our program, and a folder with the file a.txt.  -*- lexical-binding: t -*-

(require 'eglot)

(defun test-wait (what is-so)
  (let ((end (+ (float-time) 60)))
    (while (not (funcall is-so))
      (when (> (float-time) end)
        (error "Waited in vain: %s" what))
      ;; Timers run as well: eglot tells of changes from one.
      (sit-for 0.02)
      (accept-process-output nil 0.02))))

(defun test-hints ()
  (mapcar (lambda (hint) (line-number-at-pos (flymake-diagnostic-beg hint)))
          (progn (flymake-start) (flymake-diagnostics))))

(defun test-line (number)
  (save-excursion
    (goto-char (point-min))
    (forward-line (1- number))
    (buffer-substring-no-properties (line-beginning-position) (line-end-position))))

(defun test-act (server number title)
  "As a person does: with point on the change, from the menu of actions."
  (goto-char (point-min))
  (forward-line (1- number))
  (let* ((actions (eglot-code-actions (point) (point)))
         (action (seq-find (lambda (action) (equal (plist-get action :title) title)) actions)))
    (unless action
      (error "No action %s in %s" title actions))
    (eglot-execute server action)))

(defun test-command (server name argument)
  (jsonrpc-request server :workspace/executeCommand (list :command name :arguments (vector argument)) :timeout 60))

(let* ((program (pop command-line-args-left))
       (folder (pop command-line-args-left))
       (eglot-server-programs (list (list 'text-mode program "lsp" "--stdio")))
       (eglot-autoshutdown nil))
  (find-file (expand-file-name "a.txt" folder))
  (text-mode)
  (apply #'eglot--connect (eglot--guess-contact))
  (let ((server (eglot-current-server)))
    (test-wait "the buffer is managed" #'eglot-managed-p)
    (test-command server "pilotfish.toggleMode" (list :uri (eglot--path-to-uri buffer-file-name)))
    (test-command server "pilotfish.ask" (list :text "change two lines"))
    (test-wait "two hints" (lambda () (equal (sort (test-hints) #'<) '(2 20))))
    (unless (and (equal (test-line 2) "two!") (equal (test-line 20) "twenty!"))
      (error "Not changed: %s" (buffer-string)))
    (test-act server 2 "Keep this hunk")
    (test-wait "one hint" (lambda () (equal (test-hints) '(20))))
    (test-act server 20 "Undo this hunk")
    (test-wait "no hint" (lambda () (and (null (test-hints)) (equal (test-line 20) "line 20"))))
    (save-buffer)
    (eglot-shutdown server)))

(princ "ok\n")
