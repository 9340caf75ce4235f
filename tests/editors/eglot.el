;;; Drives `pilotfish lsp' with eglot, which comes with Emacs, and no package of ours.  -*- lexical-binding: t -*-

;; The model behind it is scripted by the test that starts this: see tests/e2e/editors.rs. Arguments: our program, and a folder with
;; the file a.txt. It works in steps from a timer, so that Emacs is idle between them: only then does eglot tell of changes.

(require 'eglot)

(defvar test-buffer nil "The buffer of a.txt.")
(defvar test-server nil "The server that manages it.")
(defvar test-steps nil "What is waited for, whether it is so, and what is done then, step by step.")
(defvar test-since nil "Since when the first of them is waited for.")

(defun test-hints ()
  (flymake-start)
  (sort (mapcar (lambda (hint) (line-number-at-pos (flymake-diagnostic-beg hint))) (flymake-diagnostics)) #'<))

(defun test-line (number)
  (save-excursion
    (goto-char (point-min))
    (forward-line (1- number))
    (buffer-substring-no-properties (line-beginning-position) (line-end-position))))

(defun test-act (number title)
  "As a person does: with point on the change, from the menu of actions."
  (goto-char (point-min))
  (forward-line (1- number))
  (let* ((actions (eglot-code-actions (point) (point)))
         (action (seq-find (lambda (action) (equal (plist-get action :title) title)) actions)))
    (unless action
      (error "No action %s in %s" title actions))
    (eglot-execute test-server action)))

(defun test-command (name argument)
  (jsonrpc-request test-server :workspace/executeCommand (list :command name :arguments (vector argument)) :timeout 60))

(defun test-start (program folder)
  (setq test-buffer (find-file (expand-file-name "a.txt" folder)))
  (text-mode)
  (setq eglot-server-programs (list (list 'text-mode program "lsp" "--stdio")))
  (apply #'eglot--connect (eglot--guess-contact))
  (setq test-server (eglot-current-server))
  (test-command "pilotfish.toggleMode" (list :uri (eglot--path-to-uri buffer-file-name)))
  (test-command "pilotfish.ask" (list :text "change two lines")))

(setq test-steps
      (list
       (list "two hints"
             (lambda () (and (equal (test-hints) '(2 20)) (equal (test-line 2) "two!") (equal (test-line 20) "twenty!")))
             (lambda () (test-act 2 "Keep this hunk")))
       (list "one hint"
             (lambda () (equal (test-hints) '(20)))
             (lambda () (test-act 20 "Undo this hunk")))
       (list "no hint"
             (lambda () (and (null (test-hints)) (equal (test-line 2) "two!") (equal (test-line 20) "line 20")))
             (lambda ()
               (save-buffer)
               (eglot-shutdown test-server)
               (write-region "ok\n" nil "/dev/stdout" t 'quiet)
               (kill-emacs 0)))))

(defun test-fail (why)
  (message "%s" why)
  (dolist (buffer (buffer-list))
    (when (string-match-p "EGLOT" (buffer-name buffer))
      (message "%s" (with-current-buffer buffer (buffer-string)))))
  (kill-emacs 1))

(defun test-step ()
  (condition-case error
      (with-current-buffer test-buffer
        (pcase-let ((`(,what ,is-so ,action) (car test-steps)))
          (cond
           ((funcall is-so)
            (pop test-steps)
            (setq test-since (float-time))
            (funcall action))
           ((> (- (float-time) test-since) 60)
            (error "Waited in vain for %s: %s, hints at %s" what (buffer-string) (test-hints))))))
    (error (test-fail (error-message-string error)))))

(let ((program (pop command-line-args-left))
      (folder (pop command-line-args-left)))
  (setq test-since (float-time))
  (run-with-timer
   0 nil
   (lambda ()
     (condition-case error
         (progn (test-start program folder)
                (run-with-timer 0.05 0.05 #'test-step))
       (error (test-fail (error-message-string error)))))))
